/* The pool: the fixed threads of a worker that run blocking work from one bounded queue, or from
 * one for each thread, filled in turn. */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H
#include "net/loop.h"

struct pool;
struct pool_settings {
    int threads;
    int queue_limit;               /* jobs that wait, of all queues; each has an equal part */
    int64_t queue_time;            /* ms that a job may wait which may be shed; 0: no limit */
    bool queue_per_thread;
    struct board_segment *segment; /* records from `first_record` on are the threads' */
    unsigned first_record;
    int (*thread_init)(void);      /* of the modules; may be NULL */
    void (*thread_exit)(void);
    void (*job_end)(void);         /* after each job (buffered log lines); may be NULL */
};
/* Returns when every thread has started, NULL with errno if one could not. */
struct pool *pool_new(const struct pool_settings *settings);
/* A loop's thread, which calls pool_turn_end() when its turn is over. 0, or -1: the queue is full. */
int pool_submit(struct pool *pool, struct job *job);
void pool_turn_end(struct pool *pool);
/* Runs what is queued, ends and joins the threads. */
void pool_free(struct pool **pool);
#endif
