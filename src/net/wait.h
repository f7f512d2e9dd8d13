/* A wait back-end: how a loop learns which of its descriptors are ready.
 *
 * Thread: a wait belongs to one loop thread. Memory: sources belong to whoever embeds them (loop,
 * listener slot, connection) and must be dropped before they go away.
 * What must hold: the owner of a source keeps its own note of "may be readable / writable" and
 * clears it only when a call came back short. So a back-end may tell of a change once (epoll, edge
 * triggered) or again and again (poll); both drive the same code. */
#ifndef NET_WAIT_H
#define NET_WAIT_H
#include "conf/model.h"

enum {
    WAIT_READ = 1,
    WAIT_WRITE = 2,
    WAIT_END = 4,  /* the peer has sent its last byte; only from back-ends that tell changes */
    WAIT_GONE = 8, /* reset, or closed in both directions */
};

enum wait_role {
    WAIT_ROLE_WAKE,
    WAIT_ROLE_LISTENER,
    WAIT_ROLE_PASSAGE,
    WAIT_ROLE_CONN,
    WAIT_ROLE_GUEST
};

struct wait_source {
    int fd;
    enum wait_role role;
    unsigned wanted; /* back-end's: what it has been asked to watch, WAIT_* */
    int index;       /* back-end's: place in its table, -1: not there */
};

struct wait_event {
    struct wait_source *source;
    unsigned ready; /* WAIT_* */
};

struct wait;

struct wait_ops {
    struct wait *(*create)(void); /* NULL with errno */
    void (*destroy)(struct wait *wait);
    /* Watch for `bits`; 0: only for the peer's going away. Enters the source when it is new. A
     * back-end that tells changes never takes a bit back. 0 or -1 with errno. */
    int (*want)(struct wait *wait, struct wait_source *source, unsigned bits);
    /* Watch for as long as it is readable (a listening socket, above all); `exclusive`: an arrival
     * should wake one waiter, not all. */
    int (*listen)(struct wait *wait, struct wait_source *source, bool exclusive);
    /* Stop watching. `closing`: the descriptor is closed right after this, by its only holder. */
    void (*drop)(struct wait *wait, struct wait_source *source, bool closing);
    /* Up to `room` events; `timeout` in ms, -1: for ever. Their number; 0 also on EINTR. */
    int (*wait)(struct wait *wait, struct wait_event *events, int room, int timeout);
};

#define X(symbol, name) extern const struct wait_ops wait_##name;
#include "conf/waits.def"
#undef X

/* A source that no back-end knows yet. */
static inline void wait_source_init(struct wait_source *source, int fd, enum wait_role role)
{
    source->fd = fd;
    source->role = role;
    source->wanted = 0;
    source->index = -1;
}
#endif
