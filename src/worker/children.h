/* A process for each connection, as the model `forking` has it: forked by the worker, whose only
 * thread runs the accepting loop. To such a child the worker is what the master is to a worker. */
#ifndef WORKER_CHILDREN_H
#define WORKER_CHILDREN_H
#include <stdbool.h>

#include "net/loop.h"

struct children;
struct msg;

struct children_settings {
    int most;                      /* at once */
    struct board_segment *segment; /* record 0 is the worker's own, the others the children's */
    int orders_fd;                 /* an epoll instance that listens to those who owe an answer */
    /* In the new process: serves the connection, then ends the process. */
    void (*become)(const struct accepted *accepted, unsigned record, int channel);
    /* A child has crashed; the sentence says which, and how. */
    void (*crashed)(pid_t pid, const char *sentence);
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
void children_kill(struct children *children);
void children_free(struct children **children); /* after the last was reaped */
#endif
