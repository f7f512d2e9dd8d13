/* Looking again before sleeping, in a loop that holds one connection. Under load the next input is
 * there as soon as the other threads have had their turn; to let them have it by sched_yield()
 * costs less than to fall asleep and be woken. Where that does not pay it is seldom tried.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: commands, jobs and timers are
 * looked at in every turn; a guest is heard in a wait only, so a loop that has one waits in earnest
 * at least once in IN_A_ROW turns. */
#include "config.h"

#include <sched.h>

#include "base/clock.h"
#include "net/loop-private.h"

#define IN_A_ROW 64   /* turns without a wait in earnest, while there is a guest */
#define MISSES 4      /* after so many in vain */
#define SELDOM 64     /* it is tried once in so many waits */

/* The connection that the loop waits for, and for nothing that could come from elsewhere; NULL. */
static struct reeve_conn *only_one(struct loop *loop)
{
    struct reeve_conn *conn;
    if (loop->settings.connections != 1 || loop->held != 1 || !list_empty(&loop->ready) ||
        loop->accept.state == ACCEPT_POLLING)
        return NULL;
    conn = list_entry(loop->conns.prev, struct reeve_conn, node);
    if (conn->state != CONN_OPEN || conn->verdict != REEVE_WANT_READ || conn->at_end ||
        conn->congested || out_pending(&conn->out))
        return NULL;
    return conn;
}

static bool is_worth_it(struct loop *loop)
{
    struct loop_yield *yield = &loop->yield;
    if (loop->settings.guest_ready && yield->in_a_row >= IN_A_ROW)
        return false;
    return yield->misses < MISSES || ++yield->skipped % SELDOM == 0;
}

bool yield_look(struct loop *loop)
{
    struct loop_yield *yield = &loop->yield;
    struct reeve_conn *conn = only_one(loop);
    uint64_t before = board_get(&loop->settings.record->bytes_in);
    if (!conn || !is_worth_it(loop)) {
        yield->in_a_row = 0;
        return false;
    }
    sched_yield();
    clock_refresh();
    step_event(conn, WAIT_READ);
    if (board_get(&loop->settings.record->bytes_in) != before)
        yield->misses = 0;
    else
        yield->misses++;
    /* Or waits unchanged? (The memory of one that has ended is there until the end of the turn.) */
    bool news = yield->misses == 0 || only_one(loop) != conn;
    yield->in_a_row = news ? yield->in_a_row + 1 : 0;
    return news;
}
