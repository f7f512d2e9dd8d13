/* A generation: one accepted configuration and the workers that run it.
 *
 * Its state moves by generation_event() only, through one table in generation.c. */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "conf/core.h"
#include "master/backoff.h"
#include "master/counters.h"
#include "master/reactor.h"
#include "master/sizing.h"

struct operation;
struct snapshot;
struct worker;

#define SLOTS_MAX 256

enum generation_state {
    GENERATION_NEW,
    GENERATION_PROBING, /* one worker was started to see whether the configuration works */
    GENERATION_FILLING, /* it does; the other workers are being started */
    GENERATION_SERVING,
    GENERATION_PROBATION, /* serves; the one before is kept warm (probation.h) */
    GENERATION_WARM,      /* takes nothing new, and is there to serve again */
    GENERATION_DRAINING,
    GENERATION_FAILED,  /* given up before it served; its workers are on their way out */
    GENERATION_GONE,    /* no worker left; about to be freed */
    GENERATION_STATES
};
enum generation_event {
    EVENT_START,
    EVENT_READY,  /* one of its workers is ready (passed along) */
    EVENT_ENDED,  /* one of its workers has ended (passed along, still in the list) */
    EVENT_FAILED, /* it cannot go on; `why` says it */
    EVENT_LATE,   /* its deadline has passed */
    EVENT_RETIRE, /* another generation serves now, or the server stops */
    EVENT_EMPTY,  /* it has no process left */
    EVENT_REST,   /* another generation serves now, on probation */
    EVENT_WAKE,   /* and has failed */
    GENERATION_EVENTS
};

/* A place for a worker. `worker` serves or is to serve in it; `successor` is started to replace it.
 * A draining worker is in neither. */
struct slot {
    struct generation *generation;
    int index;
    struct worker *worker;
    struct worker *successor;
    struct backoff backoff;
    struct timer respawn;
    uint64_t restarts;
    struct operation *operation; /* waits for the next worker of this slot to be ready, or NULL */
};

struct generation {
    struct list node;
    uint32_t number;
    enum generation_state state;
    int64_t since;               /* CLOCK_REALTIME s of the last change of state */
    struct snapshot *snapshot;
    struct conf *conf;
    struct core core;
    uint64_t stamp;              /* of the module files when it was made */
    struct slot *slots[SLOTS_MAX];
    int slot_count;
    char sizing[512];            /* in words, why there are so many workers */
    bool by_hand;                /* their number was set by hand */
    struct sizing_growth growth;
    struct list workers;         /* all its processes, draining ones included */
    struct timer deadline;
    /* Not NULL: the generation is there only to see whether the configuration works, and is told
     * so once. */
    void (*check)(struct generation *generation, bool works);
    int64_t drain_ms;            /* how long its workers may drain once it retires; 0: no limit */
    struct operation *operation; /* what is to be answered when its state changes next, or NULL */
    struct buf why;              /* of a failure, for people */
    char *modules;               /* "kind name version" lines, from the first READY */
    char *files;                 /* see reads.h; NULL: its modules have read none */
    char *sandbox;               /* whose its workers are, kept from what: MSG_SANDBOX; or NULL */
    struct counters retired;     /* of its workers that are gone */
    struct buf changed;          /* a file that is why it was begun, the text being the same */
};

/* A new generation of that snapshot (taken over). NULL with lines in `errors`. */
struct generation *generation_new(struct snapshot *snapshot, struct buf *errors);
/* Frees one that was never started. */
void generation_discard(struct generation *generation);
void generation_event(struct generation *generation, enum generation_event event,
                      struct worker *worker);
/* Gives it up with that text (lines). */
void generation_fail(struct generation *generation, const char *why);
/* Gives its draining workers a nearer deadline. */
void generation_hasten(struct generation *generation, int64_t drain_ms);
/* A worker leaves by itself (SIGTERM): its slot gets another at once. */
void generation_worker_leaves(struct generation *generation, struct worker *worker);
/* Workers wanted from now on; the operation is done when they are ready, or have begun to drain. */
void generation_scale(struct generation *generation, int count, struct operation *operation);
/* Replaces the worker of a slot, replacement first; the operation waits for it. False: it is being
 * replaced already, or has no worker. */
bool generation_recycle(struct generation *generation, int slot, struct operation *operation);

/* generation-view.c */

const char *generation_state_name(enum generation_state state);
/* Are its slots filled again when a worker of them ends? */
bool generation_keeps_slots(const struct generation *generation);
int generation_ready_count(const struct generation *generation); /* NULL: none is */
int generation_worker_count(const struct generation *generation); /* draining ones included */
#endif
