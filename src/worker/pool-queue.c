/* The queues of the pool; see pool.h.
 *
 * Loops submit, pool threads take, oldest first but for those that go before all. There is one
 * queue that all threads take from, or one for each thread. A queue is a chain of jobs, which their
 * loops own again after job_finished(). Its lock guards chain and count; nothing else is done under
 * it. Invariant: queued <= limit in each queue (and FIRST_MORE that go before all), a job never
 * changes its queue, and every job that was put in comes out exactly once. Memory: queues are the
 * pool's.
 *
 * To wake a thread is dear, and on one CPU it may take that from the loop for a single job. So a
 * loop wakes one for the first job of a turn, and at the turn's end if there are more; and a thread
 * that takes a job and leaves others behind wakes the next. One that is on its way is enough: while
 * jobs wait, either somebody has been woken and will look, or nobody sleeps. */
#include "config.h"

#include "worker/pool-private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define STANDING_PART 20 /* of queue_time may be waited for in a queue that stands */
#define FIRST_MORE 64    /* jobs that go first, beyond queue_limit */

/* Sees to it that somebody comes for what waits. */
static void wake_one(struct queue *queue)
{
    if (!queue->first || !queue->sleeping || queue->woken)
        return;
    queue->woken++;
    pthread_cond_signal(&queue->work);
}

static void sleep_on(struct queue *queue)
{
    queue->sleeping++;
    pthread_cond_wait(&queue->work, &queue->lock);
    queue->sleeping--;
    if (queue->woken)
        queue->woken--;
}

struct job *pool_queue_take(struct pool *pool, struct queue *queue)
{
    struct job *job;

    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->ending)
        sleep_on(queue);
    job = queue->first;
    if (job) {
        queue->first = job->next;
        if (!queue->first)
            queue->last = &queue->first;
        queue->queued--;
        if (queue->was_full && queue->queued <= pool->limit / 2) {
            queue->was_full = false;
            atomic_fetch_sub(&pool->full, 1);
        }
        wake_one(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return job;
}

/* After the idea of CoDel: a queue that is empty now and then only takes up bursts, and a job may
 * wait in it for queue_time. One that has stood for that long is no burst: there is more to do than
 * can be done, whoever waits longer than a part of it is refused, and the others are served soon.
 * A client that has closed its half is mostly one that has given up, so it may wait for that part
 * only: else a thread works for nobody while others wait. */
bool pool_queue_is_stale(const struct pool *pool, struct queue *queue, const struct job *job)
{
    int64_t limit = pool->settings.queue_time, now = clock_now_ms();

    if (!limit || job->rank != JOB_REQUEST ||
        atomic_load_explicit(&job->cancelled, memory_order_relaxed))
        return false;
    if (now - atomic_load_explicit(&queue->calm_at, memory_order_relaxed) > limit ||
        atomic_load_explicit(&job->doubtful, memory_order_relaxed))
        limit /= STANDING_PART;
    return now - job->queued_at > limit;
}

/* The queue whose turn it is. */
static struct queue *next_queue(struct pool *pool)
{
    if (pool->queue_count == 1)
        return pool->queues;
    return &pool->queues[atomic_fetch_add_explicit(&pool->turn, 1, memory_order_relaxed) %
                         pool->queue_count];
}

static void put(struct queue *queue, struct job *job)
{
    if (!queue->first)
        atomic_store_explicit(&queue->calm_at, job->queued_at, memory_order_relaxed);
    if (job->rank == JOB_FIRST) {
        job->next = queue->first;
        queue->first = job;
    } else {
        *queue->last = job;
    }
    if (!job->next)
        queue->last = &job->next;
    queue->queued++;
}

int pool_submit(struct pool *pool, struct job *job)
{
    struct queue *queue = next_queue(pool);
    bool room, tell = false;

    job->next = NULL;
    pthread_mutex_lock(&queue->lock);
    room = !queue->deserted &&
           queue->queued < pool->limit + (job->rank == JOB_FIRST ? FIRST_MORE : 0);
    if (room) {
        put(queue, job);
        if (!queue->told)
            wake_one(queue);
        queue->told = pool->queue_count == 1;
    } else if (!queue->was_full && !queue->deserted) {
        queue->was_full = true;
        tell = atomic_fetch_add(&pool->full, 1) == 0;
    }
    pthread_mutex_unlock(&queue->lock);
    if (room && !atomic_load_explicit(&pool->filled, memory_order_relaxed))
        atomic_store_explicit(&pool->filled, true, memory_order_relaxed);
    if (tell)
        log_msg(LOG_QUEUE_FULL, "%d jobs wait for a thread; further ones are refused", pool->limit);
    return room ? 0 : -1;
}

void pool_turn_end(struct pool *pool)
{
    struct queue *queue = pool->queues;

    if (!atomic_load_explicit(&pool->filled, memory_order_relaxed))
        return;
    atomic_store_explicit(&pool->filled, false, memory_order_relaxed);
    if (pool->queue_count > 1)
        return; /* each job has woken the thread of its queue */
    pthread_mutex_lock(&queue->lock);
    queue->told = false;
    wake_one(queue);
    pthread_mutex_unlock(&queue->lock);
}

void pool_queue_desert(struct pool *pool, struct queue *queue, bool deserted)
{
    struct job *job = NULL;

    pthread_mutex_lock(&queue->lock);
    queue->deserted = deserted;
    if (deserted) {
        job = queue->first;
        queue->first = NULL;
        queue->last = &queue->first;
        queue->queued = 0;
        if (queue->was_full)
            atomic_fetch_sub(&pool->full, 1);
        queue->was_full = false;
    }
    pthread_mutex_unlock(&queue->lock);
    while (job) {
        struct job *next = job->next;

        job_finished(job);
        job = next;
    }
}

bool pool_queues_make(struct pool *pool)
{
    unsigned count = pool->settings.queue_per_thread ? (unsigned)pool->settings.threads : 1;
    int part = pool->settings.queue_limit / (int)count;

    pool->queues = aligned_alloc(_Alignof(struct queue), count * sizeof(struct queue));
    if (!pool->queues)
        return false;
    pool->queue_count = count;
    pool->limit = part > 0 ? part : 1;
    for (unsigned i = 0; i < count; i++) {
        struct queue *queue = &pool->queues[i];

        *queue = (struct queue){.last = &queue->first};
        pthread_mutex_init(&queue->lock, NULL);
        pthread_cond_init(&queue->work, NULL);
    }
    return true;
}

void pool_queues_end(struct pool *pool)
{
    for (unsigned i = 0; i < pool->queue_count; i++) {
        struct queue *queue = &pool->queues[i];

        pthread_mutex_lock(&queue->lock);
        queue->ending = true;
        pthread_cond_broadcast(&queue->work);
        pthread_mutex_unlock(&queue->lock);
    }
}

void pool_queues_free(struct pool *pool)
{
    for (unsigned i = 0; i < pool->queue_count; i++) {
        pthread_cond_destroy(&pool->queues[i].work);
        pthread_mutex_destroy(&pool->queues[i].lock);
    }
    free(pool->queues);
}
