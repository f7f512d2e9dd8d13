/* A worker process as the master sees it. */
#ifndef MASTER_WORKERS_H
#define MASTER_WORKERS_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "master/counters.h"
#include "master/progress.h"
#include "master/reactor.h"
#include "master/refusals.h"
#include "share/channel.h"

struct buf;
struct generation;
struct operation;
struct slot;

/* A slot's worker: STARTED -> READY -> RETIRING; then the slot is free of it. Moved in workers.c
 * only. */
enum worker_state { WORKER_STARTED, WORKER_READY, WORKER_RETIRING };

struct worker {
    struct list node;              /* in its generation */
    struct generation *generation;
    struct slot *slot;             /* NULL: a check, or its slot is gone */
    int slot_index;                /* for people, also after `slot` is gone */
    pid_t pid;
    enum worker_state state;
    bool serving;                  /* was told to serve */
    int64_t resting_since;         /* CLOCK_MONOTONIC ms: takes nothing new; 0: it does */
    bool expected;                 /* its end was asked for: no crash, no respawn */
    bool refused;                  /* said FAILED: its text is in `why` */
    bool sick;                     /* exited with WORKER_SICK */
    bool loaded;                   /* has been READY: may ask for no more files */
    char *why;                     /* what it said of its own end, or NULL */
    bool reaped;
    int status;                    /* from waitpid, when reaped */
    unsigned segment;
    const struct board_segment *board; /* that segment, mapped; NULL: it cannot be read */
    int64_t started, ready_at;     /* CLOCK_MONOTONIC ms */
    struct watch channel;
    struct refusals refusals;      /* system calls that it was refused */
    struct timer deadline;         /* to be ready, or to be gone */
    struct counters counters;
    struct progress progress;      /* for the service manager's watchdog */
    struct timer answer;           /* to acknowledge */
    struct list acks;              /* operations that wait for this worker */
    uint32_t draw;                 /* its part of worker_jitter */
    int64_t replace_at;            /* CLOCK_MONOTONIC ms: not replaced for its age etc. before */
    uint64_t restarts;             /* of its slot when it was started */
    uint32_t speaks;               /* so many of the messages does its program know */
};

const char *worker_state_name(enum worker_state state);

/* Starts a process for the slot (NULL: only to check the configuration) and hands everything over.
 * NULL after a sentence, without newline, in `error`. */
struct worker *worker_start(struct generation *generation, struct slot *slot, struct buf *error);
/* It has said that it is ready: STARTED -> READY. */
void worker_ready(struct worker *worker);
/* Tells it to accept; the operation (may be NULL) waits for its word. */
void worker_serve(struct worker *worker, struct operation *operation);
/* Tells one that serves to take nothing new, and to begin again: it loses nothing by either. With
 * `see_off` its answers meanwhile are the last of their connections. */
void worker_rest(struct worker *worker, bool see_off);
void worker_wake(struct worker *worker);
/* Tells it to finish within `drain_ms` (0: no limit) and kills it when it does not. */
void worker_retire(struct worker *worker, int64_t drain_ms, struct operation *operation);
/* It has said by itself that it drains. */
void worker_leaves(struct worker *worker);
/* waitpid() said that this process has ended. False: it is none of ours. */
bool worker_reaped(pid_t pid, int status);
/* A worker of an earlier image of this process: its members have been taken over, and it is the
 * generation's from now on. `readable`: what it writes on the board can be read. False after a
 * line. */
bool worker_adopt(struct worker *worker, struct generation *generation, bool readable,
                  struct buf *error);
/* Fresh counters from the board. */
static inline void worker_count(struct worker *worker)
{
    if (worker->board)
        counters_read(&worker->counters, worker->board);
}

/* workers-talk.c */

/* Sends a message, perhaps with a descriptor (-1: none) and a text (NULL: none). A worker that does
 * not read its channel is killed. */
void worker_tell(struct worker *worker, enum msg_type type, uint32_t op, int value, int fd,
                 const char *text);
void worker_send(struct worker *worker, const struct msg *msg);
/* Who is given what workers say, from the start of the master on. */
typedef void worker_hearer(struct worker *worker, struct msg *msg);
void workers_hear(worker_hearer *hear);
/* Ends it at once; what follows is done when it is reaped. */
void worker_kill(struct worker *worker);
/* The operation is done only when this worker has acknowledged it, or is gone. */
void worker_await_ack(struct worker *worker, struct operation *operation);
/* It has done so; 0: all that it was asked for. */
void worker_acked(struct worker *worker, uint32_t op);
/* It is gone: what waits for its word goes on. */
void worker_forget_acks(struct worker *worker);
/* The master's end of its channel (taken over), listened to from now on; false: that is impossible,
 * with errno. */
bool worker_connect(struct worker *worker, int channel);
/* It has ended: takes the last words that may still stand in the channel. */
void worker_hear_out(struct worker *worker);
#endif
