/* The pool; see pool.h.
 *
 * Loops submit, pool threads take, oldest first but for those that go before all. There is one queue
 * that all threads take from, or one for each thread. A queue is a chain of jobs, which their loops
 * own again after job_finished(). Its lock guards chain and count; nothing else is done under it.
 * Invariant: queued <= limit in each queue (and FIRST_MORE that go before all), a job never changes
 * its queue, and every job that was taken in is finished exactly once.
 *
 * To wake a thread is dear, and on one CPU it may take that from the loop for a single job. So a
 * loop wakes one for the first job of a turn, and at the turn's end if there are more; and a thread
 * that takes a job and leaves others behind wakes the next. One that is on its way is enough: while
 * jobs wait, either somebody has been woken and will look, or nobody sleeps. */
#include "config.h"

#include "worker/pool-private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/words.h"

#define STANDING_PART 20        /* of queue_time may be waited for in a queue that stands */
#define FIRST_MORE 64           /* jobs that go first, beyond queue_limit */
#define SHED_SAID_EVERY 10000   /* ms */

static struct board_thread *pool_record(struct pool *pool, int index)
{
    unsigned record = pool->settings.first_record + (unsigned)index;

    return &pool->settings.segment->thread[record];
}

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

/* Waits for a job; NULL when the pool ends and the queue is empty. */
static struct job *pool_take(struct pool *pool, struct queue *queue)
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
static bool is_stale(const struct pool *pool, struct queue *queue, const struct job *job)
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

static void shed(struct pool *pool, struct board_thread *record, struct job *job)
{
    int64_t now = clock_now_ms();
    int64_t said = atomic_load_explicit(&pool->shed_said, memory_order_relaxed);

    board_add(&record->shed, 1);
    if ((!said || now - said > SHED_SAID_EVERY) &&
        atomic_compare_exchange_strong(&pool->shed_said, &said, now))
        log_msg(LOG_SHEDDING, "a request waited %lld ms for a thread and was refused; there is "
                "more to do than %d threads can do", (long long)(now - job->queued_at),
                pool->settings.threads);
    job_finished(job);
}

static void member_begins(struct pool_member *member, struct job *job)
{
    pthread_mutex_lock(&member->lock);
    member->job = job;
    member->turn++;
    pthread_mutex_unlock(&member->lock);
}

/* Its job has run; that may have been late. From here on nobody but the thread knows of the job.
 * False: another has its place. */
static bool member_ends(struct pool_member *member, struct job *job)
{
    bool stays, was_late;

    pthread_mutex_lock(&member->lock);
    was_late = member->state == MEMBER_LOST;
    stays = !was_late || !member->replaced;
    member->job = NULL;
    if (was_late) {
        atomic_store(&job->late, false);
        member->state = stays ? MEMBER_WORKS : MEMBER_OVER;
    }
    pthread_mutex_unlock(&member->lock);
    if (was_late)
        log_msg(LOG_THREAD_BACK, "the thread that had been lost with \"%.*s\" is back%s",
                (int)sizeof(job->label), job->label,
                stays ? "" : "; it ends, since another has taken its place");
    return stays;
}

/* False: the thread ends. */
static bool pool_work(struct pool_member *member, struct queue *queue, struct board_thread *record,
                      struct job *job)
{
    struct pool *pool = member->pool;
    bool stays;

    clock_refresh();
    if (is_stale(pool, queue, job)) {
        shed(pool, record, job);
        return true;
    }
    for (size_t i = 0; i < BOARD_PROTOCOL; i++)
        record->protocol[i] = job->protocol[i];
    board_label(record, job->label, sizeof(job->label) - 1);
    board_set(&record->busy_since, clock_now_ms());
    board_set(&record->state, BOARD_BUSY);
    member_begins(member, job);
    job_run(job);
    stays = member_ends(member, job);
    board_set(&record->state, BOARD_WAITING);
    board_set(&record->busy_since, 0);
    if (pool->settings.job_end)
        pool->settings.job_end();
    job_finished(job);
    return stays;
}

static void pool_thread_run(struct pool_member *member)
{
    struct pool *pool = member->pool;
    struct board_thread *record = pool_record(pool, member->index);
    struct queue *queue = &pool->queues[member->queue];
    struct job *job;
    bool ok;

    clock_refresh();
    ok = !pool->settings.thread_init || pool->settings.thread_init() == 0;
    board_set(&record->state, ok ? BOARD_WAITING : BOARD_ENDED);
    starter_report(&pool->starter, ok);
    if (!ok)
        return;
    while ((job = pool_take(pool, queue)) && pool_work(member, queue, record, job))
        continue;
    if (pool->settings.thread_exit)
        pool->settings.thread_exit();
    board_set(&record->state, BOARD_ENDED);
}

static void *pool_thread(void *arg)
{
    struct pool_member *member = arg;
    struct words_stack stack = {0};

    starter_name("pool", member->index);
    words_thread_begin(&stack, (int)member->pool->settings.first_record + member->index);
    pool_thread_run(member);
    words_thread_end(&stack);
    words_stack_free(&stack);
    pthread_mutex_lock(&member->lock);
    member->state = MEMBER_OVER;
    pthread_mutex_unlock(&member->lock);
    return NULL;
}

int pool_start_member(struct pool *pool, int index, unsigned queue)
{
    struct pool_member *member = &pool->members[index];
    int error;

    member->queue = queue;
    member->state = MEMBER_WORKS;
    member->replaced = false;
    error = starter_thread(&member->thread, pool_thread, member);
    if (error)
        member->state = MEMBER_NONE;
    return error;
}

/* False: no memory. */
static bool make_queues(struct pool *pool)
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

static bool make_members(struct pool *pool)
{
    size_t count = (size_t)(pool->settings.threads + pool->settings.spares);

    pool->members = aligned_alloc(_Alignof(struct pool_member), count * sizeof(*pool->members));
    if (!pool->members)
        return false;
    pool->member_count = (int)count;
    for (size_t i = 0; i < count; i++) {
        pool->members[i] = (struct pool_member){.pool = pool, .index = (int)i};
        pthread_mutex_init(&pool->members[i].lock, NULL);
    }
    return true;
}

struct pool *pool_new(const struct pool_settings *settings)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    int error = 0, started = 0;

    if (!pool)
        return NULL;
    pool->settings = *settings;
    starter_init(&pool->starter);
    if (!make_queues(pool) || !make_members(pool))
        error = ENOMEM;
    while (!error && started < settings->threads) {
        error = pool_start_member(pool, started, (unsigned)started % pool->queue_count);
        started += !error;
    }
    if (!starter_wait(&pool->starter, started) && !error)
        error = ECANCELED;
    if (error) {
        pool_free(&pool);
        errno = error;
    }
    return pool;
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

static void end_queues(struct pool *pool)
{
    for (unsigned i = 0; i < pool->queue_count; i++) {
        struct queue *queue = &pool->queues[i];

        pthread_mutex_lock(&queue->lock);
        queue->ending = true;
        pthread_cond_broadcast(&queue->work);
        pthread_mutex_unlock(&queue->lock);
    }
}

static void free_queues(struct pool *pool)
{
    for (unsigned i = 0; i < pool->queue_count; i++) {
        pthread_cond_destroy(&pool->queues[i].work);
        pthread_mutex_destroy(&pool->queues[i].lock);
    }
    free(pool->queues);
}

void pool_free(struct pool **pool_of)
{
    struct pool *pool = *pool_of;

    if (!pool)
        return;
    end_queues(pool);
    for (int i = 0; i < pool->member_count; i++) {
        if (pool->members[i].state != MEMBER_NONE)
            pthread_join(pool->members[i].thread, NULL);
        pthread_mutex_destroy(&pool->members[i].lock);
    }
    starter_end(&pool->starter);
    free_queues(pool);
    free(pool->members);
    free(pool);
    *pool_of = NULL;
}
