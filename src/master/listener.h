/* Listening sockets. The master owns them; one lives as long as its address is configured. */
#ifndef MASTER_LISTENER_H
#define MASTER_LISTENER_H
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "conf/core.h"
#include "share/passage.h"

struct buf;
struct generation;
struct worker;

struct listener {
    struct list node;
    char *title;          /* as configured: its identity */
    char *protocol;       /* of the serving generation, for people */
    char *bound;          /* what it is bound to, as text; with the real port */
    struct address address;
    int fd;
    struct passage passage; /* -1: it could not be made */
    struct passage next;    /* of a generation on trial that gives it another protocol; or -1 */
    int backlog;
    mode_t mode;          /* of a unix socket, as applied */
    char *owner;
    bool inherited;       /* came by socket activation: its address is not ours to remove */
    bool trial;           /* opened for a generation that does not serve yet */
    bool waiting;         /* connections stood in its backlog a round ago (patrol.c) */
    bool deaf;            /* it cannot listen any more, which has been told */
    bool removed;         /* no longer configured; closed once the old workers have let go */
};
extern struct list listeners;

/* Opens what this generation needs and is not open yet. False with lines in `errors`, and nothing
 * opened; *in_use tells whether an address was held by somebody. */
bool listeners_open(const struct core *core, struct buf *errors, bool *in_use);
/* The trial has failed: closes what was opened for it. */
void listeners_abandon(void);
/* The generation serves: applies backlog, mode and owner, and tells the workers of `old` (may be
 * NULL) which addresses are gone. While it is on probation none is: those workers go on with it. */
void listeners_adopt(const struct generation *generation, struct generation *old);
/* A worker has the very socket, and one gone mad may have shut it down: it listens again. True if so:
 * the workers are to be told. */
bool listener_revive(struct listener *listener);
/* Nobody accepts from the removed ones any more. */
void listeners_close_removed(void);
/* No listener lets new connections in: the server stops. */
void listeners_shut_all(void);
void listeners_close_all(void);
int listener_fd(const char *title); /* -1: there is none */
/* Hands it over to a new worker, of a generation in which it has this protocol. */
void listener_hand(const char *title, const char *protocol, struct worker *worker);
#endif
