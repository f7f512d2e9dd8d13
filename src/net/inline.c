/* Jobs that run in their loop's own thread, where there is no pool; and what may be done for the
 * client of a thread that does not come back.
 *
 * Threads: inline_run() in the loop's; loop_let_go() in whoever watches it; loop_cut() in the loop's
 * again, in the handler of a signal. Memory: nothing of its own. What must hold: while a job runs
 * here the loop's thread touches the job only and, under `inside_lock`, nothing else until it has
 * it; so whoever holds the lock and finds a job there has the loop to itself, and acts in its place.
 * The job is then late, as one of the pool would be (late.c): it comes back by the inbox. */
#include "config.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "net/loop-private.h"

bool inline_run(struct job *job)
{
    struct loop *loop = job->loop;
    struct board_thread *record = loop->settings.record;
    bool late;
    pthread_mutex_lock(&loop->inside_lock);
    loop->inside = job;
    board_add(&record->turns, 2); /* it is not the turn that takes long, but one thing in it */
    pthread_mutex_unlock(&loop->inside_lock);
    job_run(job);
    pthread_mutex_lock(&loop->inside_lock);
    loop->inside = NULL;
    board_add(&record->turns, 2);
    late = atomic_exchange(&job->late, false);
    if (late && !loop->shown)
        record_idle(loop);
    pthread_mutex_unlock(&loop->inside_lock);
    return late;
}

bool loop_waits(const struct loop *loop, uint64_t *progress)
{
    const struct board_thread *record = loop->settings.record;
    *progress = board_get(&record->turns) + board_get(&record->requests) +
                board_get(&record->bytes_in);
    return atomic_load_explicit(&loop->asleep, memory_order_relaxed);
}

static bool goes_on(const struct loop *loop, uint64_t progress)
{
    uint64_t seen;
    return loop_waits(loop, &seen) || seen != progress;
}

/* For that moment the calling thread is the loop's. What the record shows stays: it is so. */
static void act_for(struct loop *loop, struct job *job)
{
    struct board_thread *record = loop->settings.record;
    int64_t since = board_get(&record->busy_since);
    loop_running = loop;
    clock_refresh();
    late_let_go(job);
    loop_running = NULL;
    board_set(&record->busy_since, since ? since : clock_now_ms());
    board_set(&record->state, BOARD_BUSY);
}

enum loop_hold loop_let_go(struct loop *loop, uint64_t progress)
{
    enum loop_hold hold = LOOP_HOLDS;
    pthread_mutex_lock(&loop->inside_lock);
    if (goes_on(loop, progress)) {
        hold = LOOP_GOES_ON;
    } else if (loop->inside) {
        atomic_store(&loop->inside->late, true);
        act_for(loop, loop->inside);
        hold = LOOP_LETS_GO;
    }
    pthread_mutex_unlock(&loop->inside_lock);
    return hold;
}

void loop_cut(void *arg)
{
    struct loop_cut *cut = arg;
    const struct loop *loop = loop_current();
    const struct reeve_conn *conn = loop ? loop->stepping : NULL;
    if (conn && loop == cut->loop && !goes_on(loop, cut->progress) && conn->source.fd >= 0)
        cut->done = shutdown(conn->source.fd, SHUT_RDWR) == 0;
}
