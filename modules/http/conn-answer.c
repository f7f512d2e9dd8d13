/* A connection that speaks HTTP/1, answering: in the loop, in the pool, later, or piece by piece.
 *
 * Runs in the loop's thread that owns the connection, job_run() and piece_run() apart, which run in
 * the pool's and have the request alone. The state owns the request until its answer is queued; if
 * that is large and there is an access log, until it is down to the engine's low-water mark, so
 * that the log can tell how much was sent. */
#include "config.h"

#include "access.h"
#include "answer.h"
#include "conn.h"
#include "stream.h"

#define STREAM_RETRY 20 /* ms until a full pool is asked again */

/* ---------------------------------------------------------------- the board --------- */

void conn_show(reeve_conn *conn, struct http_conn *c, const char *label, size_t length)
{
    c->busy = true;
    reeve_busy(conn, label, length);
}

void conn_unshow(reeve_conn *conn, struct http_conn *c)
{
    if (c->busy)
        reeve_idle(conn);
    c->busy = false;
}

/* ---------------------------------------------------------------- the answer -------- */

/* Not inlined: without a log its frame is not needed. */
static __attribute__((noinline)) void conn_log(reeve_conn *conn, struct request *request)
{
    size_t length = 0;
    const char *raw = request->head.length == 0 ? reeve_input(conn, &length) : NULL;
    access_log(request, raw, length);
}

static inline int conn_over(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    if (access_is_logged(request))
        conn_log(conn, request);
    conn_become(c, request->close ? CONN_CLOSING : CONN_IDLE);
    if (request->parse.close) /* RFC 9112, 9.6: its client must not send another request */
        reeve_no_more(conn);
    c->timed = c->begun = false;
    request_free(&c->request);
    if (c->state == CONN_CLOSING)
        return GO_ON;
    const int64_t until = reeve_pause(conn, settings.keepalive_timeout);
    if (until == 0)
        return GO_ON;
    c->timed = true;
    c->idle_until = until;
    return REEVE_WANT_READ;
}

int conn_sent(reeve_conn *conn, struct http_conn *c)
{
    return reeve_congested(conn) ? REEVE_WANT_WRITE : conn_over(conn, c);
}

/* 501 and 505 say what was wrong with the request. */
static bool is_our_fault(int status)
{
    return status >= 500 && status != 501 && status != 505;
}

/* True: all of the stream is queued. */
static __attribute__((noinline)) bool stream_is_over(struct http_conn *c)
{
    struct answer *answer = &c->request->answer;
    if (answer->stream.state == STREAM_FAILED) {
        conn_become(c, CONN_FAILED);
        return false;
    }
    if (answer->stream.state == STREAM_MORE) {
        conn_become(c, CONN_STREAM);
        return false;
    }
    answer->length = (size_t)answer->stream.written; /* for the log */
    return true;
}

/* An answer was given. */
static int conn_finish(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    if (!request->answer.given || request->answer.failed) {
        conn_become(c, CONN_FAILED);
        return GO_ON;
    }
    if (request->answer.stream.more != NULL && !stream_is_over(c))
        return GO_ON;
    if (is_our_fault(request->answer.status))
        reeve_failed(conn);
    conn_unshow(conn, c);
    if (!access_is_logged(request) || !reeve_congested(conn))
        return conn_over(conn, c);
    conn_become(c, CONN_SENDING);
    request_lighten(request);
    return GO_ON;
}

int conn_answer_now(reeve_conn *conn, struct http_conn *c)
{
    c->request->close |= reeve_is_last(conn);
    c->request->conn = conn;
    request_handle(c->request);
    if (c->request->again) { /* what is queued, hints perhaps, shall not wait for the slow part */
        conn_become(c, CONN_ASK);
        return reeve_queued(conn) > 0 ? REEVE_WANT_WRITE : GO_ON;
    }
    if (c->request->later != NULL) {
        conn_become(c, CONN_JOB);
        reeve_deadline(conn, 0);
        return REEVE_JOB;
    }
    return conn_finish(conn, c);
}

int conn_give(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    request->close |= reeve_is_last(conn);
    request->answer.failed = !request->answer.given || !answer_send(request, conn);
    return conn_finish(conn, c);
}

/* Pool thread. */
static void job_run(void *arg)
{
    request_handle(arg);
}

static void job_done(reeve_conn *conn, void *arg, bool ran)
{
    struct http_conn *c = reeve_state(conn);
    struct request *request = arg;
    bool late = request->later != NULL;
    if (conn_came_late(c, request))
        return;
    request->later = NULL; /* that job is over */
    if (!ran && reeve_ended(conn)) {
        conn_become(c, CONN_CLOSING); /* the client has left */
        return;
    }
    if (!ran) { /* it has waited too long */
        conn_refuse_busy(request);
        conn_answer_now(conn, c);
        return;
    }
    if (late)
        request_judge(request, 0);
    conn_give(conn, c);
}

reeve_job *conn_put_off(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    return reeve_job_begin(conn, job_done, c->request);
}

void conn_refuse_busy(struct request *request)
{
    static const char retry[] = "Retry-After: 1\r\n";
    bytes_add(&request->answer.fields, retry, sizeof retry - 1);
    request_refuse(request, 503, "The server is busy. Try again in a moment.");
}

int conn_ask(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    request->waits = true;
    request->again = false;
    request->conn = NULL;
    conn_become(c, CONN_JOB);
    reeve_deadline(conn, 0);
    /* From here on the request may be in another thread, or over. */
    if (reeve_submit_request(conn, job_run, job_done, request, request->route->priority) == 0)
        return REEVE_JOB;
    conn_refuse_busy(request);
    return conn_answer_now(conn, c);
}

int conn_answer(reeve_conn *conn, struct http_conn *c)
{
    const struct request *request = c->request;
    if (request->refused != 0 || !request->route->handler->blocking)
        return conn_answer_now(conn, c);
    return conn_ask(conn, c);
}

/* ---------------------------------------------------------------- a stream ---------- */

/* Pool thread. */
static void piece_run(void *arg)
{
    stream_ask(arg);
}

static void piece_done(reeve_conn *conn, void *arg, bool ran)
{
    struct http_conn *c = reeve_state(conn);
    if (conn_came_late(c, arg))
        return;
    if (ran)
        stream_take(arg, conn);
    conn_become(c, ran ? CONN_STREAM : CONN_FAILED);
}

int conn_stream(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    if (request->answer.stream.state != STREAM_MORE)
        return conn_finish(conn, c);
    request->conn = request->waits ? NULL : conn;
    c->begun = true;
    if (!request->waits) {
        stream_ask(request);
        stream_take(request, conn);
        return GO_ON;
    }
    conn_become(c, CONN_JOB);
    if (reeve_submit(conn, piece_run, piece_done, request) == 0)
        return REEVE_JOB;
    conn_become(c, CONN_STREAM); /* the pool is full: again a little later */
    reeve_deadline(conn, STREAM_RETRY);
    return REEVE_JOB;
}
