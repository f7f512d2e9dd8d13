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

/* May it still ask one thing? An idle one, among them those that still take their last answer, until
 * its time is over, which does not begin while another worker may take it. */
static bool may_ask(struct reeve_conn *conn, unsigned passed)
{
    if (step_is_unasked(conn) && !move_is_possible(conn))
        return !farewell_is_over(&conn->loop->farewell, &conn->asks_for, passed);
    conn->asks_for = 0;
    return step_is_unasked(conn);
}

/* Calls the drain hook of all that have not heard of it, but for those that may still ask. */
static void tell_drain(struct loop *loop, unsigned passed)
{
    bool waits = false;
    list_each_safe(node, &loop->conns) {
        struct reeve_conn *conn = list_entry(node, struct reeve_conn, node);
        if (conn->drained || conn->state != CONN_OPEN)
            continue;
        if (!may_ask(conn, passed))
            step_drain(conn);
        waits = waits || (!conn->drained && conn->state == CONN_OPEN);
    }
    if (!waits)
        loop->farewell.at = 0;
}

static void drain(struct loop *loop)
{
    if (loop->phase == LOOP_DRAINING || loop->phase == LOOP_STOPPING)
        return;
    loop->phase = LOOP_DRAINING;
    atomic_store(&loop->engine->draining, true);
    if (!loop->shown)
        record_idle(loop);
    farewell_begin(&loop->farewell, clock_now_ms(), loop->engine->drain_linger);
    move_begin(loop);
    tell_drain(loop, 0);
    accept_drain(loop);
}

/* The time of some idle ones may be over: of those from before, and those taken from a backlog
 * since. */
void loop_drain_idle(struct loop *loop)
{
    int64_t now = clock_now_ms();
    if (!loop->farewell.at || loop->farewell.at > now)
        return;
    if (loop->phase == LOOP_DRAINING)
        tell_drain(loop, farewell_passed(&loop->farewell, now, loop->engine->drain_linger));
    else
        loop->farewell.at = 0;
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
        accept_called(loop);
    if (commands & 1u << LOOP_DRAIN)
        drain(loop);
    if (commands & 1u << LOOP_STOP)
        stop(loop);
}

void loop_begin_anew(struct loop *loop)
{
    loop->phase = LOOP_SERVING;
    loop->farewell.at = 0;
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
