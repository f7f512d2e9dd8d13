/* Sending what a connection has queued: what the outcome of out_flush() means for it, and how long
 * its client may take.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: while a file is waited for
 * (cold_since) nothing is sent, and the client's time stands still. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/loop-private.h"

#define SEND_A_TURN (1024 * 1024) /* bytes of one connection */
#define WARM_TIME 1000            /* ms that a file stays in memory without being looked at */

static void flushed(struct reeve_conn *conn)
{
    if (conn->out.queued > conn->loop->engine->low_water)
        return;
    conn->congested = false;
    if (conn->state == CONN_OPEN && conn->verdict == REEVE_WANT_WRITE)
        conn->due = true;
}

static void take_result(struct reeve_conn *conn, enum out_result result)
{
    switch (result) {
    case OUT_EMPTY:
        if (conn->held_back) /* sending took its time: the protocol's own begins anew */
            conn->deadline = conn->deadline_span ? clock_now_ms() + conn->deadline_span : 0;
        conn->held_back = false;
        flushed(conn);
        break;
    case OUT_BLOCKED:
        conn->writable = false;
        conn->held_back = true;
        conn->blocked_at = clock_now_ms();
        conn->warm_until = conn->blocked_at + WARM_TIME;
        flushed(conn);
        break;
    case OUT_BUDGET:
        ready_add(conn);
        flushed(conn);
        break;
    case OUT_COLD:
        conn->held_back = true;
        flushed(conn);
        ahead_begin(conn);
        break;
    case OUT_SHRUNK:
        conn_fail(conn, LOG_FILE_SHRANK, "a file ended before the length that was promised");
        break;
    case OUT_FAILED:
        conn_fail(conn, LOG_CONN_ERROR, strerror(errno));
        break;
    }
}

/* Never more than it had at first: what was taken quickly is no reason to be slow later. */
int64_t flush_deadline(const struct engine *engine, int64_t before, int64_t now, size_t sent)
{
    int64_t most = now + engine->send_timeout;
    if (!engine->send_rate)
        return most;
    int64_t after = before + ((int64_t)sent * 1000 + engine->send_rate - 1) / engine->send_rate;
    return after < most ? after : most;
}

/* `sent` bytes have gone out. */
static void give_time(struct reeve_conn *conn, size_t sent)
{
    const struct engine *engine = conn->loop->engine;
    int64_t now = clock_now_ms(), most = now + engine->send_timeout;
    if (!conn->held_back)
        conn->engine_deadline = most;
    else if (sent)
        conn->engine_deadline = flush_deadline(engine, conn->engine_deadline, now, sent);
    conn->slow = conn->engine_deadline < most && (sent || conn->slow);
}

/* It goes on after a wait. */
static void held_back(struct reeve_conn *conn)
{
    if (conn->warm_until < clock_now_ms())
        out_cool_down(&conn->out);
    unsent_trust(conn);
}

bool flush_run(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    size_t sent;
    if (conn->state != CONN_OPEN && conn->state != CONN_FLUSHING)
        return conn->state == CONN_LINGERING;
    if (!out_pending(&conn->out)) {
        flushed(conn);
        return true;
    }
    if (!conn->writable || conn->cold_since)
        return true;
    if (conn->held_back)
        held_back(conn);
    enum out_result result =
        out_flush(&conn->out, &loop->pool, conn->source.fd, SEND_A_TURN, &sent);
    if (sent)
        board_add(&loop->settings.record->bytes_out, (uint64_t)sent);
    give_time(conn, sent);
    take_result(conn, result);
    return conn->state == CONN_OPEN || conn->state == CONN_FLUSHING;
}
