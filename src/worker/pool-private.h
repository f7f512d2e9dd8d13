/* The inside of the pool, for its files. */
#ifndef WORKER_POOL_PRIVATE_H
#define WORKER_POOL_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>

#include "worker/pool.h"
#include "worker/starter.h"

#define STANDING_PART 20 /* of queue_time may be waited for in a queue that stands */

enum member_state {
    MEMBER_NONE,  /* no thread */
    MEMBER_WORKS,
    MEMBER_LOST,  /* its job is late */
    MEMBER_OVER,  /* its thread ends: to be joined */
};

/* A thread of the pool. */
struct pool_member {
    _Alignas(64) pthread_mutex_t lock; /* guards the next block; nothing else is locked under it */
    enum member_state state;
    struct job *job;   /* that runs now; NULL: none */
    uint64_t turn;     /* jobs so far */
    bool replaced;     /* LOST: another has its place */

    /* The watcher's own: */
    uint64_t seen_turn;
    int64_t seen_at;   /* when that job was seen first, by the watch's clock */
    int64_t lost_at;

    /* Constant while it has a thread: */
    struct pool *pool;
    int index;
    unsigned queue;
    pthread_t thread;
};

struct queue {
    _Alignas(64) pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, **last;
    int queued;
    _Atomic int64_t calm_at; /* ms: when a job last found it empty */
    int sleeping;      /* threads that wait for work */
    int woken;         /* of these, who are on their way */
    bool told;         /* somebody was woken in this turn of a loop */
    bool was_full;     /* until the queue is half empty again */
    bool ending;
    bool deserted;     /* all of its threads are lost: what comes is refused */
    int hands;         /* the watcher's own: its threads that are not lost */
};

struct pool {
    struct pool_settings settings;
    struct starter starter;
    struct queue *queues;
    unsigned queue_count;
    int limit;         /* of each queue */
    atomic_uint turn;  /* the queue for the next job, modulo their number */
    atomic_int full;   /* queues that were full; above 0 that was logged */
    _Atomic int64_t shed_said; /* ms: when shedding was last logged */
    atomic_bool filled; /* the one queue got a job since a turn ended */
    struct pool_member *members; /* settings.threads, and room for settings.spares */
    int member_count;
};

/* pool.c: that member's record on the board. */
struct board_thread *pool_record(struct pool *pool, int index);
/* pool.c: starts that member's thread, for jobs of that queue. 0 or the error. */
int pool_start_member(struct pool *pool, int index, unsigned queue);

/* pool-queue.c. False: no memory. */
bool pool_queues_make(struct pool *pool);
/* No more jobs come; threads go when what waits is done. */
void pool_queues_end(struct pool *pool);
void pool_queues_free(struct pool *pool);
/* Waits for a job; NULL when the pool ends and the queue is empty. */
struct job *pool_queue_take(struct pool *pool, struct queue *queue);
/* Has this job, just taken, waited for so long that it is to be refused? */
bool pool_queue_is_stale(const struct pool *pool, struct queue *queue, const struct job *job);
/* Nobody will come for what waits there: it goes back as it is, and what comes is refused. Or
 * somebody does again. */
void pool_queue_desert(struct pool *pool, struct queue *queue, bool deserted);
#endif
