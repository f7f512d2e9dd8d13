/* The pool and how its threads start: what runs, in which order, how much may wait, what is said.
 *
 * Jobs belong to no loop here: job_run(), job_finished() and hand_show() are stand-ins. A gate
 * holds up a thread where a test needs a queue that does not move. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/hand.h"
#include "unit.h"
#include "worker/pool.h"

#define JOBS 2000

static struct board_segment *segment;
static struct pool_settings settings;
static struct job jobs[JOBS];
static atomic_int runs[JOBS], finishes[JOBS];
static int order[JOBS];
static atomic_int order_length, inits, exits, ends, early_ends, init_fails_at;
static sem_t at_gate, gate, next_gate, ran;

/* ---------------------------------------------------------------- stand-ins -------- */

void job_run(struct job *job)
{
    job->run(job->arg);
    job->ran = true;
}
void job_finished(struct job *job)
{
    atomic_fetch_add(&finishes[job - jobs], 1);
}
void hand_show(struct board_thread *record)
{
    (void)record;
}
static int on_init(void)
{
    return atomic_fetch_add(&inits, 1) + 1 == atomic_load(&init_fails_at) ? -1 : 0;
}
static void on_exit_of_thread(void)
{
    atomic_fetch_add(&exits, 1);
}

/* ---------------------------------------------------------------- helpers ---------- */

static void setup(void)
{
    segment = aligned_alloc(4096, sizeof(*segment));
    ck_assert_ptr_nonnull(segment);
    memset(segment, 0, sizeof(*segment));
    settings = (struct pool_settings){.threads = 1, .queue_limit = JOBS, .segment = segment};
    sem_init(&at_gate, 0, 0);
    sem_init(&gate, 0, 0);
    sem_init(&next_gate, 0, 0);
    sem_init(&ran, 0, 0);
}

static void teardown(void)
{
    free(segment);
}

static void note(void *arg)
{
    struct job *job = arg;

    atomic_fetch_add(&runs[job - jobs], 1);
    order[atomic_fetch_add(&order_length, 1)] = (int)(job - jobs);
}

static void wait_for(sem_t *semaphore, int times)
{
    for (int i = 0; i < times; i++)
        while (sem_wait(semaphore) < 0)
            ;
}

static void open_gate(sem_t *which, int times)
{
    for (int i = 0; i < times; i++)
        sem_post(which);
}

static void wait_at_gate(void *arg)
{
    note(arg);
    sem_post(&at_gate);
    wait_for(&gate, 1);
}

/* One that nobody passes who was only let through the first. */
static void wait_at_next_gate(void *arg)
{
    note(arg);
    sem_post(&at_gate);
    wait_for(&next_gate, 1);
}

static void note_and_tell(void *arg)
{
    note(arg);
    sem_post(&ran);
}

static int submit(struct pool *pool, int index, void (*run)(void *arg))
{
    jobs[index].run = run;
    jobs[index].arg = &jobs[index];
    int result = pool_submit(pool, &jobs[index]);
    pool_turn_end(pool);
    return result;
}

/* A thread is held up by this job; where each has its queue, the one whose turn it is. */
static void hold(struct pool *pool, int index)
{
    ck_assert_int_eq(submit(pool, index, wait_at_gate), 0);
    wait_for(&at_gate, 1);
}

/* All threads, by the jobs from `first` on; nothing is queued. */
static void hold_all(struct pool *pool, int first)
{
    for (int i = 0; i < settings.threads; i++)
        hold(pool, first + i);
}

static void assert_each_ran_once(int from, int to)
{
    for (int i = from; i < to; i++) {
        ck_assert_msg(atomic_load(&runs[i]) == 1, "job %d ran %d times", i, atomic_load(&runs[i]));
        ck_assert_int_eq(atomic_load(&finishes[i]), 1);
    }
}

/* ---------------------------------------------------------------- tests ------------ */

/* Of one queue for all, then of one for each thread. */
START_TEST(each_job_runs_once)
{
    struct pool *pool;

    settings.queue_per_thread = _i;
    settings.threads = 4;
    pool = pool_new(&settings);
    ck_assert_ptr_nonnull(pool);
    for (int i = 0; i < JOBS; i++)
        ck_assert_int_eq(submit(pool, i, note), 0);
    pool_free(&pool);
    ck_assert_ptr_null(pool);
    assert_each_ran_once(0, JOBS);
}
END_TEST

/* Each thread says that it ends while the pool looks for those to be joined: the thread sanitizer
 * knows whether both have the lock. */
START_TEST(threads_end_while_the_pool_does)
{
    settings.threads = 8;
    for (int i = 0; i < 20; i++) {
        struct pool *pool = pool_new(&settings);

        ck_assert_ptr_nonnull(pool);
        pool_free(&pool);
        ck_assert_int_eq(atomic_load(&inits), atomic_load(&exits));
    }
}
END_TEST

struct submitter {
    pthread_t thread;
    struct pool *pool;
    int from, to;
    int refused;
};

static void *submit_range(void *arg)
{
    struct submitter *submitter = arg;

    for (int i = submitter->from; i < submitter->to; i++)
        while (submit(submitter->pool, i, note) < 0)
            submitter->refused++;
    return NULL;
}

/* Several loops submit to a queue that is often full: what was refused may be tried again. */
START_TEST(many_submitters)
{
    struct submitter submitters[4];

    settings.threads = 3;
    settings.queue_limit = 8;
    settings.queue_per_thread = _i;
    log_set_level(REEVE_LOG_ERROR);
    for (int i = 0; i < 4; i++)
        submitters[i] = (struct submitter){.from = i * JOBS / 4, .to = (i + 1) * JOBS / 4};
    submitters[0].pool = pool_new(&settings);
    ck_assert_ptr_nonnull(submitters[0].pool);
    for (int i = 0; i < 4; i++) {
        submitters[i].pool = submitters[0].pool;
        ck_assert_int_eq(pthread_create(&submitters[i].thread, NULL, submit_range, &submitters[i]),
                         0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(submitters[i].thread, NULL);
    pool_free(&submitters[0].pool);
    assert_each_ran_once(0, JOBS);
}
END_TEST

START_TEST(oldest_first)
{
    struct pool *pool = pool_new(&settings);

    hold(pool, 0);
    for (int i = 1; i < 100; i++)
        submit(pool, i, note);
    sem_post(&gate);
    pool_free(&pool);
    ck_assert_int_eq(atomic_load(&order_length), 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(order[i], i);
}
END_TEST

START_TEST(what_is_queued_runs_before_the_end)
{
    struct pool *pool;

    settings.threads = 3;
    settings.queue_per_thread = _i;
    pool = pool_new(&settings);
    hold_all(pool, 0);
    for (int i = 3; i < JOBS; i++)
        ck_assert_int_eq(submit(pool, i, note), 0);
    open_gate(&gate, 3);
    pool_free(&pool);
    assert_each_ran_once(0, JOBS);
}
END_TEST

START_TEST(oldest_first_in_each_queue)
{
    int last[3] = {-1, -1, -1};
    struct pool *pool;

    settings.threads = 3;
    settings.queue_per_thread = true;
    pool = pool_new(&settings);
    hold_all(pool, 0);
    for (int i = 3; i < 300; i++)
        ck_assert_int_eq(submit(pool, i, note), 0);
    open_gate(&gate, 3);
    pool_free(&pool);
    assert_each_ran_once(0, 300);
    for (int i = 0; i < 300; i++) {
        int *of_queue = &last[order[i] % 3]; /* they were handed out in turn */

        ck_assert_int_lt(*of_queue, order[i]);
        *of_queue = order[i];
    }
}
END_TEST

START_TEST(job_waits_for_the_thread_of_its_queue)
{
    struct pool *pool;

    settings.threads = 2;
    settings.queue_per_thread = true;
    pool = pool_new(&settings);
    hold(pool, 0);
    for (int i = 1; i < 10; i++)
        ck_assert_int_eq(submit(pool, i, note_and_tell), 0);
    wait_for(&ran, 5);
    for (int i = 1; i < 10; i++)
        ck_assert_int_eq(atomic_load(&runs[i]), i % 2);
    open_gate(&gate, 1);
    pool_free(&pool);
    assert_each_ran_once(0, 10);
}
END_TEST

START_TEST(job_of_a_shared_queue_waits_for_any_thread)
{
    struct pool *pool;

    settings.threads = 2;
    pool = pool_new(&settings);
    hold(pool, 0);
    for (int i = 1; i < 10; i++)
        ck_assert_int_eq(submit(pool, i, note_and_tell), 0);
    wait_for(&ran, 9); /* and the gate is still shut */
    open_gate(&gate, 1);
    pool_free(&pool);
    assert_each_ran_once(0, 10);
}
END_TEST

static const struct part {
    int limit, each;
} parts[] = {{12, 4}, {11, 3}, {4, 1}, {3, 1}, {1, 1}};

START_TEST(queues_have_equal_parts_of_the_limit)
{
    const struct part *part = &parts[_i];
    int next = 3;
    struct pool *pool;

    settings.threads = 3;
    settings.queue_limit = part->limit;
    settings.queue_per_thread = true;
    log_set_level(REEVE_LOG_ERROR);
    pool = pool_new(&settings);
    hold_all(pool, 0);
    for (int i = 0; i < 3 * part->each; i++)
        ck_assert_int_eq(submit(pool, next++, note), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(submit(pool, next, note), -1);
    open_gate(&gate, 3);
    pool_free(&pool);
    assert_each_ran_once(0, next);
}
END_TEST

static int lines_of(int fd, const char *word)
{
    char text[4096];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    int count = 0;

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

START_TEST(full_queue_refuses_and_says_so_once)
{
    int log = memfd_create("log", MFD_CLOEXEC), next = 0;
    struct pool *pool;

    log_open(log, LOG_TEXT);
    settings.queue_limit = 4;
    pool = pool_new(&settings);
    for (int round = 1; round <= 2; round++) {
        hold(pool, next++);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(submit(pool, next++, note), 0);
        ck_assert_int_eq(submit(pool, next++, wait_at_gate), 0);
        ck_assert_int_eq(lines_of(log, "queue-full"), round - 1);
        ck_assert_int_eq(submit(pool, next, note), -1);
        ck_assert_int_eq(submit(pool, next, note), -1);
        ck_assert_int_eq(lines_of(log, "queue-full: 4 jobs wait"), round);
        sem_post(&gate);
        wait_for(&at_gate, 1); /* the queue is empty, so the next time is worth a line */
        sem_post(&gate);
    }
    pool_free(&pool);
    assert_each_ran_once(0, next);
    log_open(STDERR_FILENO, LOG_TEXT);
    close(log);
}
END_TEST

START_TEST(queue_that_stays_full_is_not_said_again)
{
    int log = memfd_create("log", MFD_CLOEXEC);
    struct pool *pool;

    log_open(log, LOG_TEXT);
    settings.queue_limit = 4;
    pool = pool_new(&settings);
    hold(pool, 0);
    ck_assert_int_eq(submit(pool, 1, wait_at_gate), 0);
    for (int i = 2; i < 5; i++)
        ck_assert_int_eq(submit(pool, i, note), 0);
    ck_assert_int_eq(submit(pool, 5, note), -1);
    sem_post(&gate);
    wait_for(&at_gate, 1); /* one was taken: three wait, more than half */
    ck_assert_int_eq(submit(pool, 5, note), 0);
    ck_assert_int_eq(submit(pool, 6, note), -1);
    ck_assert_int_eq(lines_of(log, "queue-full"), 1);
    sem_post(&gate);
    pool_free(&pool);
    log_open(STDERR_FILENO, LOG_TEXT);
    close(log);
}
END_TEST

START_TEST(full_queues_are_said_once)
{
    int log = memfd_create("log", MFD_CLOEXEC), next = 0;
    struct pool *pool;

    log_open(log, LOG_TEXT);
    settings.threads = 3;
    settings.queue_limit = 6;
    settings.queue_per_thread = true;
    pool = pool_new(&settings);
    for (int round = 1; round <= 2; round++) {
        hold_all(pool, next);
        next += 3;
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(submit(pool, next++, note), 0);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(submit(pool, next++, wait_at_next_gate), 0);
        for (int i = 0; i < 6; i++)
            ck_assert_int_eq(submit(pool, next, note), -1);
        ck_assert_int_eq(lines_of(log, "queue-full"), round);
        ck_assert_int_eq(lines_of(log, "queue-full: 2 jobs wait"), round);
        open_gate(&gate, 3);
        wait_for(&at_gate, 3); /* all queues are empty */
        open_gate(&next_gate, 3);
    }
    pool_free(&pool);
    assert_each_ran_once(0, next);
    log_open(STDERR_FILENO, LOG_TEXT);
    close(log);
}
END_TEST

enum client { STAYS, DOUBTFUL, GONE };

/* Milliseconds before now that the job which finds the queue empty came, and the next one; is that
 * one refused when its turn comes? */
static const struct {
    int calm, waits;
    enum job_rank rank;
    enum client client;
    bool shed;
} waits[] = {
    {0, 0, JOB_REQUEST, STAYS, false},
    {9000, 8000, JOB_REQUEST, STAYS, false},     /* a burst: as long as queue_time */
    {12000, 11000, JOB_REQUEST, STAYS, true},
    {12000, 11000, JOB_REQUEST, GONE, false},    /* job_run() skips it */
    {11000, 9000, JOB_REQUEST, STAYS, true},     /* it has stood for that long: a twentieth */
    {11000, 600, JOB_REQUEST, STAYS, true},
    {11000, 100, JOB_REQUEST, STAYS, false},
    {9900, 600, JOB_REQUEST, STAYS, false},
    {9900, 600, JOB_REQUEST, DOUBTFUL, true},    /* its client may have given up */
    {9900, 100, JOB_REQUEST, DOUBTFUL, false},
    {9900, 600, JOB_FIRST, DOUBTFUL, false},
    {99000, 99000, JOB_PROMISED, STAYS, false},  /* what was begun goes on */
    {99000, 99000, JOB_FIRST, STAYS, false},
};

START_TEST(who_waits_too_long_is_refused)
{
    struct pool *pool;
    int64_t now;

    settings.queue_time = 10000;
    pool = pool_new(&settings);
    hold(pool, 0);
    now = clock_fresh_ms();
    jobs[1].queued_at = now - waits[_i].calm;
    jobs[2].queued_at = now - waits[_i].waits;
    jobs[2].rank = waits[_i].rank;
    jobs[2].doubtful = waits[_i].client == DOUBTFUL;
    jobs[2].cancelled = waits[_i].client == GONE;
    ck_assert_int_eq(submit(pool, 1, note), 0);
    ck_assert_int_eq(submit(pool, 2, note), 0);
    sem_post(&gate);
    pool_free(&pool);
    ck_assert_int_eq(atomic_load(&runs[2]), !waits[_i].shed);
    ck_assert_int_eq(atomic_load(&finishes[2]), 1);
    ck_assert_uint_eq(board_get(&segment->thread[0].shed), waits[_i].shed);
}
END_TEST

START_TEST(first_goes_first_and_beyond_the_limit)
{
    struct pool *pool;

    settings.queue_limit = 2;
    pool = pool_new(&settings);
    hold(pool, 0);
    for (int i = 1; i < 3; i++)
        ck_assert_int_eq(submit(pool, i, note), 0);
    ck_assert_int_eq(submit(pool, 3, note), -1);
    jobs[3].rank = JOB_FIRST;
    ck_assert_int_eq(submit(pool, 3, note), 0);
    sem_post(&gate);
    pool_free(&pool);
    ck_assert_int_eq(order[1], 3);
    ck_assert_int_eq(order[2], 1);
    ck_assert_int_eq(order[3], 2);
}
END_TEST

START_TEST(first_alone_and_one_behind_it)
{
    struct pool *pool = pool_new(&settings);

    hold(pool, 0);
    jobs[1].rank = JOB_FIRST;
    ck_assert_int_eq(submit(pool, 1, note), 0);
    ck_assert_int_eq(submit(pool, 2, note), 0);
    sem_post(&gate);
    pool_free(&pool);
    assert_each_ran_once(0, 3);
    ck_assert_int_eq(order[1], 1);
}
END_TEST

START_TEST(refusals_are_said_once)
{
    int log = memfd_create("log", MFD_CLOEXEC);
    struct pool *pool;

    log_open(log, LOG_TEXT);
    settings.queue_time = 1000;
    pool = pool_new(&settings);
    hold(pool, 0);
    for (int i = 1; i < 6; i++) {
        jobs[i].queued_at = clock_fresh_ms() - 5000;
        jobs[i].rank = JOB_REQUEST;
        ck_assert_int_eq(submit(pool, i, note), 0);
    }
    sem_post(&gate);
    pool_free(&pool);
    ck_assert_uint_eq(board_get(&segment->thread[0].shed), 5);
    ck_assert_int_eq(lines_of(log, "shedding"), 1);
    log_open(STDERR_FILENO, LOG_TEXT);
    close(log);
}
END_TEST

START_TEST(thread_that_cannot_set_itself_up_fails_the_pool)
{
    atomic_store(&init_fails_at, _i % 4 + 1);
    settings.threads = 4;
    settings.queue_per_thread = _i >= 4;
    settings.thread_init = on_init;
    settings.thread_exit = on_exit_of_thread;
    errno = 0;
    ck_assert_ptr_null(pool_new(&settings));
    ck_assert_int_eq(errno, ECANCELED);
    ck_assert_int_eq(atomic_load(&inits), 4);
    ck_assert_int_eq(atomic_load(&exits), 3); /* of those that were set up */
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(board_get(&segment->thread[i].state), BOARD_ENDED);
}
END_TEST

START_TEST(threads_are_set_up_before_new_returns)
{
    struct pool *pool;

    settings.threads = 5;
    settings.thread_init = on_init;
    settings.thread_exit = on_exit_of_thread;
    pool = pool_new(&settings);
    ck_assert_int_eq(atomic_load(&inits), 5);
    ck_assert_int_eq(atomic_load(&exits), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(board_get(&segment->thread[i].state), BOARD_WAITING);
    pool_free(&pool);
    ck_assert_int_eq(atomic_load(&exits), 5);
}
END_TEST

static void look_at_thread(void *arg)
{
    char name[16];
    sigset_t blocked;

    note(arg);
    ck_assert_int_eq(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
    ck_assert_str_eq(name, "pool-0");
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGUSR1));
}

START_TEST(threads_have_a_name_and_take_no_signals)
{
    struct pool *pool = pool_new(&settings);
    sigset_t blocked;

    submit(pool, 0, look_at_thread);
    pool_free(&pool);
    assert_each_ran_once(0, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(!sigismember(&blocked, SIGTERM)); /* of the starting thread: as it was */
}
END_TEST

static void on_job_end(void)
{
    int index = atomic_fetch_add(&ends, 1);

    if (atomic_load(&runs[index]) != 1 || atomic_load(&finishes[index]) != 0)
        atomic_fetch_add(&early_ends, 1);
}

START_TEST(job_shows_on_the_board)
{
    struct board_thread *record = &segment->thread[3];
    struct pool *pool;

    settings.first_record = 3;
    settings.job_end = on_job_end;
    pool = pool_new(&settings);
    strcpy(jobs[0].protocol, "http");
    strcpy(jobs[0].label, "GET /slow");
    hold(pool, 0);
    ck_assert_uint_eq(board_get(&record->state), BOARD_BUSY);
    ck_assert_int_gt(board_get(&record->busy_since), 0);
    ck_assert_str_eq(record->protocol, "http");
    ck_assert_str_eq(record->label, "GET /slow");
    ck_assert_uint_eq(board_get(&segment->thread[0].state), BOARD_UNUSED);
    sem_post(&gate);
    hold(pool, 1);
    sem_post(&gate);
    pool_free(&pool);
    ck_assert_uint_eq(board_get(&record->state), BOARD_ENDED);
    ck_assert_int_eq(board_get(&record->busy_since), 0);
    ck_assert_int_eq(atomic_load(&ends), 2);
    ck_assert_int_eq(atomic_load(&early_ends), 0); /* after the job, before its loop has it */
}
END_TEST

UNIT_MAIN_AROUND("pool", setup, teardown, TIMES(each_job_runs_once, 2), TIMES(many_submitters, 2),
                 ONCE(oldest_first), TIMES(what_is_queued_runs_before_the_end, 2),
                 ONCE(oldest_first_in_each_queue), ONCE(job_waits_for_the_thread_of_its_queue),
                 ONCE(job_of_a_shared_queue_waits_for_any_thread),
                 EACH(queues_have_equal_parts_of_the_limit, parts),
                 ONCE(full_queue_refuses_and_says_so_once),
                 EACH(who_waits_too_long_is_refused, waits), ONCE(refusals_are_said_once),
                 ONCE(first_goes_first_and_beyond_the_limit), ONCE(first_alone_and_one_behind_it),
                 ONCE(queue_that_stays_full_is_not_said_again), ONCE(full_queues_are_said_once),
                 TIMES(thread_that_cannot_set_itself_up_fails_the_pool, 8),
                 ONCE(threads_are_set_up_before_new_returns),
                 ONCE(threads_have_a_name_and_take_no_signals), ONCE(job_shows_on_the_board),
                 ONCE(threads_end_while_the_pool_does))
