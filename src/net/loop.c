/* The loop: turns of waiting, events, finished jobs, commands, due timers and accepting. What the
 * commands do is in loop-command.c, how a loop is made in loop-new.c.
 *
 * Thread: loop_run in the thread that is the loop; loop_wake and loop_post in any.
 * Memory: see loop-private.h. What must hold: `asleep` is set before the inbox is looked at for the
 * last time, and news is put in place before `asleep` is looked at; so a wake-up is neither lost
 * nor written to a loop that is awake. */
#include "config.h"

#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/hand.h"
#include "net/loop-private.h"

#define EVENTS 128 /* handled in a turn */
#define WAKES 4    /* tries of a wake-up, which cannot fail unless the kernel is in distress */

_Thread_local struct loop *loop_running;

/* ------------------------------------------------------------------- from other threads --- */

void loop_wake(struct loop *loop)
{
    if (!atomic_exchange(&loop->asleep, false))
        return;
    uint64_t one = 1;
    ssize_t n;
    int tries = WAKES;
    do
        n = write(loop->wake.fd, &one, sizeof one);
    while (n < 0 && errno != EAGAIN && --tries); /* full means that one is pending already */
    if (!tries)
        atomic_store(&loop->asleep, true); /* else nobody would try again */
}

void loop_post(struct loop *loop, unsigned bit)
{
    atomic_fetch_or(&loop->commands, 1u << bit);
    loop_wake(loop);
}

void loop_launched_ended(struct loop *loop)
{
    record_share(loop, -1u);
    atomic_fetch_sub(&loop->launched, 1);
    if (atomic_load(&loop->wants_room))
        loop_post(loop, LOOP_ROOM);
}

bool loop_is_asleep(const struct loop *loop, uint32_t *turns)
{
    *turns = (uint32_t)board_get(&loop->settings.record->turns);
    return atomic_load_explicit(&loop->asleep, memory_order_relaxed);
}

/* ------------------------------------------------------------------- the turn --- */

bool loop_has_room(const struct loop *loop)
{
    return loop->held + atomic_load(&loop->launched) < (unsigned)loop->settings.connections;
}

static bool has_news(struct loop *loop)
{
    return atomic_load(&loop->inbox) || atomic_load(&loop->commands);
}

static int64_t sooner(int64_t timeout, int64_t at)
{
    if (!at)
        return timeout;
    int64_t wait = at - clock_now_ms();
    if (wait < 0)
        wait = 0;
    return timeout < 0 || wait < timeout ? wait : timeout;
}

static int sleep_time(const struct loop *loop)
{
    if (!list_empty(&loop->ready) || loop->unfinished)
        return 0;
    int64_t timeout = wheel_next(&loop->wheel, clock_now_ms());
    timeout = sooner(timeout, loop->accept.look_at);
    timeout = sooner(timeout, loop->farewell.at);
    timeout = sooner(timeout, loop->moves.at);
    return timeout > INT_MAX ? INT_MAX : (int)timeout;
}

static int loop_sleep(struct loop *loop, struct wait_event *events)
{
    int timeout = sleep_time(loop);
    if (timeout != 0) {
        atomic_store(&loop->asleep, true);
        if (has_news(loop))
            timeout = 0;
    }
    board_add(&loop->settings.record->turns, 1);
    int count = loop->ops->wait(loop->wait, events, EVENTS, timeout);
    board_add(&loop->settings.record->turns, 1);
    atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
    clock_refresh();
    return count;
}

static void loop_event(struct loop *loop, const struct wait_event *event)
{
    struct wait_source *source = event->source;
    uint64_t value;
    switch (source->role) {
    case WAIT_ROLE_WAKE:
        if (read(source->fd, &value, sizeof value) < 0 && errno != EAGAIN)
            log_errno(LOG_SYSTEM, "eventfd");
        break;
    case WAIT_ROLE_LISTENER:
        accept_event(loop, list_entry(source, struct loop_listener, source));
        break;
    case WAIT_ROLE_PASSAGE:
        accept_passage(loop, list_entry(source, struct loop_listener, passage));
        break;
    case WAIT_ROLE_GUEST:
        loop->settings.guest_ready(loop->settings.guest_arg);
        break;
    case WAIT_ROLE_CONN:
        step_event(list_entry(source, struct reeve_conn, source), event->ready);
        break;
    }
}

static void take_inbox(struct loop *loop)
{
    if (!atomic_load_explicit(&loop->inbox, memory_order_relaxed))
        return;
    struct job *job = atomic_exchange(&loop->inbox, NULL);
    struct job *oldest = NULL;
    while (job) { /* the inbox holds the newest first */
        struct job *next = job->next;
        job->next = oldest;
        oldest = job;
        job = next;
    }
    while (oldest) {
        struct job *next = oldest->next;
        oldest->back(oldest);
        oldest = next;
    }
}

/* ------------------------------------------------------------------- running --- */

static void loop_turn(struct loop *loop)
{
    struct wait_event events[EVENTS];
    board_add(&loop->settings.record->turns, 2);
    int count = yield_look(loop) ? 0 : loop_sleep(loop, events);
    for (int i = 0; i < count; i++)
        loop_event(loop, &events[i]);
    take_inbox(loop);
    loop_obey(loop);
    ready_run(loop);
    wheel_run(&loop->wheel, clock_now_ms(), step_timer);
    move_look(loop);
    loop_drain_idle(loop);
    accept_look(loop); /* last: whatever closed above has left room */
    loop->stepping = NULL;
    if (loop->engine->turn_end)
        loop->unfinished = loop->engine->turn_end(count);
    conn_bury(loop);
}

static void turn_until_finished(struct loop *loop)
{
    while (!loop_is_finished(loop))
        loop_turn(loop);
    assert(loop->held == 0);
    conn_bury(loop);
    board_set(&loop->settings.record->state, BOARD_ENDED);
    loop_running = NULL;
    hand_show(NULL);
}

static void begin(struct loop *loop)
{
    loop_running = loop;
    board_set(&loop->settings.record->tid, (uint32_t)gettid());
    loop->farewell.turn = (unsigned)gettid(); /* another one than its neighbour's */
    hand_show(loop->settings.connections == 1 ? loop->settings.record : NULL);
    clock_refresh();
    record_idle(loop);
}

void loop_run(struct loop *loop)
{
    begin(loop);
    turn_until_finished(loop);
}

void loop_serve_one(struct loop *loop, const struct accepted *accepted)
{
    size_t index = (size_t)(accepted->listener - loop->engine->listeners);
    begin(loop);
    accept_never(loop);
    loop_begin_anew(loop);
    struct reeve_conn *conn = conn_new(loop, &loop->listeners[index], accepted);
    if (conn) {
        step_begin(conn, accepted);
    } else {
        log_msg(LOG_NO_MEMORY, "%s: a connection had to be closed", accepted->listener->address);
        struct accepted own = *accepted;
        limit_drop(&own);
    }
    turn_until_finished(loop);
}
