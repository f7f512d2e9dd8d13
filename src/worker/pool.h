/* The pool: the fixed threads of a worker that run blocking work from one bounded queue, or from
 * one for each thread, filled in turn. */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H
#include <pthread.h>

#include "net/loop.h"

struct pool;
struct pool_settings {
    int threads;
    int spares;                    /* threads that may replace lost ones */
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
/* A loop's thread, which calls pool_turn_end() when its turn is over. 0, or -1: the queue is
 * full. */
int pool_submit(struct pool *pool, struct job *job);
void pool_turn_end(struct pool *pool);

/* Main thread, from time to time: finds jobs that have run for longer than `limit` ms by the clock
 * `now`, which the caller lets stand while the process does; lets their clients go, replaces their
 * threads, and calls `told` for each. */
struct words_record;
typedef void pool_told(struct words_record *stack, int64_t ran_ms);
void pool_watch(struct pool *pool, int64_t now, int64_t limit, pool_told *told);
struct pool_losses {
    int lost;         /* threads that have not come back */
    int unreplaced;   /* of them, whose place is empty */
    int64_t longest;  /* ms that one has been lost for */
};
struct pool_losses pool_losses(struct pool *pool, int64_t now);
int pool_members(const struct pool *pool); /* threads, and room for more */
/* Of the i-th thread, for its stack: false if there is none, or it ends. */
bool pool_thread_of(struct pool *pool, int index, pthread_t *thread);
/* The process ends at once, without pool_free(): threads that have ended already are nobody's. */
void pool_leave(struct pool *pool);
/* Runs what is queued, ends and joins the threads. */
void pool_free(struct pool **pool);
#endif
