/* The threads of the pool; see pool.h.
 *
 * Worker. The main thread starts and joins them; each runs the jobs of its queue (pool-queue.c), or
 * refuses those that have waited too long. A job is its loop's again after job_finished().
 * Invariant: every job that was taken from a queue is finished exactly once. Memory: the pool is
 * its maker's, members and queues are the pool's. */
#include "config.h"

#include "worker/pool-private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/hand.h"
#include "worker/words.h"


struct board_thread *pool_record(struct pool *pool, int index)
{
    unsigned record = pool->settings.first_record + (unsigned)index;

    return &pool->settings.segment->thread[record];
}

static void shed(struct pool *pool, struct board_thread *record, struct job *job)
{
    int64_t now = clock_now_ms(), limit = pool->settings.queue_time;

    board_add(&record->shed, 1);
    if (log_is_due(&pool->shed_said, now))
        log_msg(LOG_SHEDDING, "a request waited %lld ms for a thread and was refused, by "
                "queue_time (%lld ms, and %lld ms while requests never stop waiting): there is "
                "more to do than %d threads can do; raise threads or workers, or queue_time for "
                "longer waits",
                (long long)(now - job->queued_at), (long long)limit,
                (long long)(limit / STANDING_PART), pool->settings.threads);
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
    bool stays, was_late, in_time;

    pthread_mutex_lock(&member->lock);
    was_late = member->state == MEMBER_LOST;
    in_time = was_late && !atomic_load_explicit(&job->cancelled, memory_order_relaxed);
    stays = !was_late || !member->replaced;
    member->job = NULL;
    if (was_late) {
        atomic_store(&job->late, false);
        member->state = stays ? MEMBER_WORKS : MEMBER_OVER;
        board_set(&pool_record(member->pool, member->index)->lost_since, 0);
    }
    pthread_mutex_unlock(&member->lock);
    if (was_late)
        log_msg(LOG_THREAD_BACK, "the thread that had been lost with \"%.*s\" is back%s%s",
                (int)sizeof(job->label), job->label,
                in_time ? ", before its client was let go" : "",
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
    if (pool_queue_is_stale(pool, queue, job)) {
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
    board_set(&record->tid, (uint32_t)gettid());
    board_set(&record->state, ok ? BOARD_WAITING : BOARD_ENDED);
    starter_report(&pool->starter, ok);
    if (!ok)
        return;
    hand_show(record);
    while ((job = pool_queue_take(pool, queue)) && pool_work(member, queue, record, job))
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
    if (!pool_queues_make(pool) || !make_members(pool))
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

/* Has it a thread to be joined? One that ends says so in its state at this very moment. */
static bool has_thread(struct pool_member *member)
{
    bool has;

    pthread_mutex_lock(&member->lock);
    has = member->state != MEMBER_NONE;
    pthread_mutex_unlock(&member->lock);
    return has;
}

void pool_leave(struct pool *pool)
{
    for (int i = 0; i < pool->member_count; i++)
        if (has_thread(&pool->members[i]))
            pthread_detach(pool->members[i].thread);
}

void pool_free(struct pool **pool_of)
{
    struct pool *pool = *pool_of;

    if (!pool)
        return;
    pool_queues_end(pool);
    for (int i = 0; i < pool->member_count; i++) {
        if (has_thread(&pool->members[i]))
            pthread_join(pool->members[i].thread, NULL);
        pthread_mutex_destroy(&pool->members[i].lock);
    }
    starter_end(&pool->starter);
    pool_queues_free(pool);
    free(pool->members);
    free(pool);
    *pool_of = NULL;
}
