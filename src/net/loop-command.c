/* What a loop is told: serve, look, rest, drain, stop; and how it comes to its end.
 *
 * Thread: loop_command and loop_has_stopped_accepting in any, the rest in the loop's. Memory:
 * nothing of its own. What must hold: the phase only goes on, and is changed here alone; a
 * loop that is given its connections begins anew with each. */
#include "config.h"

#include "base/clock.h"
#include "net/loop-private.h"

void loop_command(struct loop *loop, enum loop_command command)
{
    loop_post(loop, command);
}

bool loop_has_stopped_accepting(const struct loop *loop)
{
    return atomic_load(&loop->stopped_accepting);
}

/* Calls the drain hook of all that have not heard of it; of the idle ones, among them those that
 * still take their last answer, only when their time to ask one thing more is over, and none of
 * those that another worker may still take. True: there are such. */
static bool tell_drain(struct loop *loop, bool idle_too)
{
    bool waits = false;
    list_each_safe(node, &loop->conns) {
        struct reeve_conn *conn = list_entry(node, struct reeve_conn, node);
        bool idle = step_is_unasked(conn), moves = idle && move_is_possible(conn);
        waits = waits || moves;
        if (!idle || (idle_too && !moves))
            step_drain(conn);
    }
    return waits;
}

static void drain(struct loop *loop)
{
    if (loop->phase == LOOP_DRAINING || loop->phase == LOOP_STOPPING)
        return;
    loop->phase = LOOP_DRAINING;
    atomic_store(&loop->engine->draining, true);
    if (!loop->shown)
        record_idle(loop);
    loop->drain_at = clock_now_ms() + loop->engine->drain_linger;
    move_begin(loop);
    tell_drain(loop, false);
    accept_drain(loop);
}

/* The time of the idle ones may be over: those from before, and those taken from a backlog
 * since. */
void loop_drain_idle(struct loop *loop)
{
    if (!loop->drain_at || loop->drain_at > clock_now_ms())
        return;
    loop->drain_at = 0;
    if (loop->phase != LOOP_DRAINING)
        return;
    if (tell_drain(loop, true) && !loop->drain_at)
        loop->drain_at = clock_now_ms() + loop->engine->drain_linger / 2 + 1;
}

static void stop(struct loop *loop)
{
    loop->phase = LOOP_STOPPING;
    atomic_store(&loop->engine->draining, true);
    accept_stop(loop);
    list_each_safe(node, &loop->conns)
        conn_close(list_entry(node, struct reeve_conn, node));
}

void loop_obey(struct loop *loop)
{
    if (!atomic_load_explicit(&loop->commands, memory_order_relaxed))
        return;
    unsigned commands = atomic_exchange(&loop->commands, 0);
    if (commands & 1u << LOOP_ROOM)
        loop->accept.conn_closed = true;
    if (commands & 1u << LOOP_SERVE && loop->phase == LOOP_NEW) {
        loop->phase = LOOP_SERVING;
        accept_serve(loop);
    } else if (commands & (1u << LOOP_SERVE | 1u << LOOP_REST) && loop->phase == LOOP_SERVING) {
        if (atomic_load(&loop->engine->resting)) /* whatever came last */
            accept_rest(loop);
        else
            accept_serve(loop);
    }
    if (commands & 1u << LOOP_LOOK)
        accept_all(loop);
    if (commands & 1u << LOOP_DRAIN)
        drain(loop);
    if (commands & 1u << LOOP_STOP)
        stop(loop);
}

void loop_begin_anew(struct loop *loop)
{
    loop->phase = LOOP_SERVING;
    loop->drain_at = 0;
    loop->moves = (struct loop_moves){0};
    if (atomic_load(&loop->engine->draining))
        loop_post(loop, LOOP_DRAIN);
}

bool loop_is_finished(const struct loop *loop)
{
    bool waits = loop->moves.given && loop->phase == LOOP_DRAINING;
    return loop->accept.state == ACCEPT_DONE && !waits &&
           (list_empty(&loop->conns) || late_is_all(loop));
}
