/* The pool; see pool.h.
 *
 * Loops submit, pool threads take, oldest first. The queue is a chain of jobs, which their loops
 * own again after job_finished(). One lock guards chain and count; nothing else is done under it.
 * Invariant: queued <= queue_limit, and every job that was taken in is finished exactly once. */
#include "config.h"

#include "worker/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/starter.h"

struct pool {
    struct pool_settings settings;
    struct starter starter;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, **last;
    int queued;
    bool was_full;     /* and that was logged; until the queue is half empty again */
    bool ending;
    int started;
    pthread_t *threads;
    atomic_int next_index;
};

static struct board_thread *pool_record(struct pool *pool, int index)
{
    unsigned record = pool->settings.first_record + (unsigned)index;

    return &pool->settings.segment->thread[record];
}

/* Waits for a job; NULL when the pool ends and the queue is empty. */
static struct job *pool_take(struct pool *pool)
{
    struct job *job;

    pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->ending)
        pthread_cond_wait(&pool->work, &pool->lock);
    job = pool->first;
    if (job) {
        pool->first = job->next;
        if (!pool->first)
            pool->last = &pool->first;
        pool->queued--;
        if (pool->queued <= pool->settings.queue_limit / 2)
            pool->was_full = false;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void pool_work(struct pool *pool, struct board_thread *record, struct job *job)
{
    clock_refresh();
    for (size_t i = 0; i < BOARD_PROTOCOL; i++)
        record->protocol[i] = job->protocol[i];
    board_label(record, job->label, sizeof(job->label) - 1);
    board_set(&record->busy_since, clock_now_ms());
    board_set(&record->state, BOARD_BUSY);
    job_run(job);
    board_set(&record->state, BOARD_WAITING);
    board_set(&record->busy_since, 0);
    if (pool->settings.job_end)
        pool->settings.job_end();
    job_finished(job);
}

static void *pool_thread(void *arg)
{
    struct pool *pool = arg;
    int index = atomic_fetch_add(&pool->next_index, 1);
    struct board_thread *record = pool_record(pool, index);
    struct job *job;
    bool ok;

    starter_name("pool", index);
    clock_refresh();
    ok = !pool->settings.thread_init || pool->settings.thread_init() == 0;
    board_set(&record->state, ok ? BOARD_WAITING : BOARD_ENDED);
    starter_report(&pool->starter, ok);
    if (!ok)
        return NULL;
    while ((job = pool_take(pool)))
        pool_work(pool, record, job);
    if (pool->settings.thread_exit)
        pool->settings.thread_exit();
    board_set(&record->state, BOARD_ENDED);
    return NULL;
}

struct pool *pool_new(const struct pool_settings *settings)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    int error = 0;

    if (!pool)
        return NULL;
    pool->settings = *settings;
    pool->last = &pool->first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    starter_init(&pool->starter);
    pool->threads = calloc((size_t)settings->threads, sizeof(pthread_t));
    if (!pool->threads)
        error = ENOMEM;
    while (!error && pool->started < settings->threads) {
        error = starter_thread(&pool->threads[pool->started], pool_thread, pool);
        pool->started += !error;
    }
    if (!starter_wait(&pool->starter, pool->started) && !error)
        error = ECANCELED;
    if (error) {
        pool_free(&pool);
        errno = error;
    }
    return pool;
}

int pool_submit(struct pool *pool, struct job *job)
{
    bool room, tell = false;

    job->next = NULL;
    pthread_mutex_lock(&pool->lock);
    room = pool->queued < pool->settings.queue_limit;
    if (room) {
        *pool->last = job;
        pool->last = &job->next;
        pool->queued++;
        pthread_cond_signal(&pool->work); /* no system call when no thread waits */
    } else {
        tell = !pool->was_full;
        pool->was_full = true;
    }
    pthread_mutex_unlock(&pool->lock);
    if (tell)
        log_msg(LOG_QUEUE_FULL, "%d jobs wait for a thread; further ones are refused",
                pool->settings.queue_limit);
    return room ? 0 : -1;
}

void pool_free(struct pool **pool_of)
{
    struct pool *pool = *pool_of;

    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    starter_end(&pool->starter);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
    *pool_of = NULL;
}
