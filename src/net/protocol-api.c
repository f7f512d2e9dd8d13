/* What a protocol sees of its connection: the functions of reeve/protocol.h, and the clock.
 *
 * Thread: the connection's loop, asserted, but for reeve_draining, reeve_now and reeve_time.
 * Memory: nothing is owned here. What must hold: output is taken only while the protocol runs
 * (CONN_OPEN); afterwards it is refused, so that a late job cannot write behind an end. */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "net/loop-private.h"

static struct reeve_conn *own(reeve_conn *conn)
{
    assert(conn->loop == loop_current());
    return conn;
}

void reeve_linger(reeve_conn *conn)
{
    own(conn)->lingers = true;
}

void reeve_no_more(reeve_conn *conn)
{
    own(conn)->no_more = true;
}

void *reeve_state(reeve_conn *conn)
{
    return own(conn)->protocol_state;
}

const char *reeve_input(reeve_conn *conn, size_t *length)
{
    *length = own(conn)->input_length;
    return conn->input ? conn->input : "";
}

void reeve_consume(reeve_conn *conn, size_t length)
{
    assert(length <= own(conn)->input_length);
    if (length) {
        conn->input += length;
        conn->input_length -= length;
    }
}

bool reeve_ended(const reeve_conn *conn)
{
    assert(conn->loop == loop_current());
    return conn->state != CONN_OPEN || conn->gone;
}

bool reeve_at_end(const reeve_conn *conn)
{
    assert(conn->loop == loop_current());
    return conn->at_end;
}

const char *reeve_peer(const reeve_conn *conn)
{
    return conn->peer;
}

const char *reeve_listener(const reeve_conn *conn)
{
    return conn->from->listener->address;
}

int reeve_send(reeve_conn *conn, const void *data, size_t length)
{
    if (own(conn)->state != CONN_OPEN)
        return -1;
    return out_copy(&conn->out, &conn->loop->pool, data, length);
}

int reeve_send_borrowed(reeve_conn *conn, const void *data, size_t length,
                        reeve_release_f *release, void *arg)
{
    if (own(conn)->state != CONN_OPEN)
        return -1;
    return out_borrow(&conn->out, &conn->loop->pool, data, length, release, arg);
}

int reeve_send_file(reeve_conn *conn, int fd, off_t offset, size_t length,
                    reeve_release_f *release, void *arg)
{
    if (own(conn)->state != CONN_OPEN)
        return -1;
    return out_file(&conn->out, &conn->loop->pool, fd, offset, length, release, arg);
}

char *reeve_reserve(reeve_conn *conn, size_t want)
{
    if (own(conn)->state != CONN_OPEN)
        return NULL;
    return out_reserve(&conn->out, &conn->loop->pool, want);
}

void reeve_commit(reeve_conn *conn, size_t length)
{
    out_commit(&own(conn)->out, length);
}

char *reeve_append(reeve_conn *conn, size_t length)
{
    if (own(conn)->state != CONN_OPEN)
        return NULL;
    return out_append(&conn->out, &conn->loop->pool, length);
}

size_t reeve_queued(const reeve_conn *conn)
{
    assert(conn->loop == loop_current());
    return conn->unsent ? conn->unsent : conn->out.queued;
}

static bool is_congested(const struct reeve_conn *conn)
{
    return conn->congested || conn->out.queued > conn->loop->engine->high_water;
}

bool reeve_congested(const reeve_conn *conn)
{
    assert(conn->loop == loop_current());
    return is_congested(conn);
}

void reeve_deadline(reeve_conn *conn, int64_t ms)
{
    own(conn)->deadline_span = ms;
    conn->deadline = ms > 0 ? clock_now_ms() + ms : 0;
}

int64_t reeve_pause(reeve_conn *conn, int64_t ms)
{
    if (own(conn)->input_length || conn->at_end || is_congested(conn))
        return 0;
    const int64_t until = clock_now_ms() + ms;
    conn->deadline_span = ms;
    conn->deadline = ms > 0 ? until : 0;
    return until;
}

static bool drains(const struct engine *engine)
{
    return atomic_load_explicit(&engine->draining, memory_order_relaxed);
}

static bool says_last(const struct engine *engine)
{
    return drains(engine) || board_get(&engine->board->own_share->draining);
}

bool reeve_draining(void)
{
    const struct engine *engine = loop_engine();
    return engine && says_last(engine);
}

bool reeve_is_last(reeve_conn *conn)
{
    const struct engine *engine = own(conn)->loop->engine;
    if (!says_last(engine))
        return false;
    /* A worker that only sees its clients off moves none of them. */
    return !(drains(engine) && move_is_possible(conn));
}

void reeve_busy(reeve_conn *conn, const char *label, size_t length)
{
    own(conn)->busy = true;
    record_busy(conn, label, length);
}

void reeve_idle(reeve_conn *conn)
{
    own(conn)->busy = false;
    record_over(conn);
}

void reeve_failed(reeve_conn *conn)
{
    record_failed(own(conn)->loop);
}

int64_t reeve_now(void)
{
    return clock_now_ms();
}

int64_t reeve_time(void)
{
    return clock_time();
}
