/* A process for each connection, as the model `forking` has it: forked by the worker, whose only
 * thread runs the accepting loop. To such a child the worker is what the master is to a worker. */
#ifndef WORKER_CHILDREN_H
#define WORKER_CHILDREN_H
#include <stdbool.h>

#include "net/loop.h"

struct children;
struct msg;
struct words_record;

struct children_settings {
    int most;                      /* at once */
    struct board_segment *segment; /* record 0 is the worker's own, the others the children's */
    int orders_fd;                 /* an epoll instance that listens to those who owe an answer */
    /* In the new process: serves the connection, then ends the process. */
    void (*become)(const struct accepted *accepted, unsigned record, int channel);
    /* A child has crashed; the sentence says which, and how. */
    void (*crashed)(pid_t pid, const char *sentence);
    /* The handler of a child is late, and it will be killed. NULL: it does not say where it is. */
    void (*late)(pid_t pid, const struct words_record *stack, int64_t ran_ms);
};

/* NULL: no memory. */
struct children *children_new(const struct children_settings *settings);
/* As engine.launch, whose loop `front` is. */
int children_fork(struct children *children, struct loop *front, const struct accepted *accepted);

/* These may be called with NULL, of a crew without children. */

/* Passes a message on, with its descriptor. */
void children_tell(struct children *children, const struct msg *msg);
/* What epoll has told of the child with this record: its answer, which is dropped but counted. */
void children_hear(struct children *children, unsigned record);
/* Has any not yet answered a MSG_REOPENED? One that has ended owes nothing. */
bool children_owe(const struct children *children);
/* After SIGCHLD: forgets those that have ended. */
void children_reap(struct children *children);
int children_count(const struct children *children);
/* children-watch.c. From time to time: ends those that have been at one thing for longer than
 * `limit` ms by the clock `now`, which begins above 0 and which the caller lets stand while it
 * does. */
void children_watch(struct children *children, int64_t now, int64_t limit);
void children_kill(struct children *children);
void children_free(struct children **children); /* after the last was reaped */
#endif
