/* A connection that speaks HTTP/1: head, body, handler, answer, and again.
 *
 * Runs in the loop's thread that owns the connection, job_run() apart. A step takes as many
 * requests as the input holds, until the output is congested; so the answers of a pipeline leave
 * together and in order. The state holds a request only while there is one in hand; it owns it.
 */
#include "config.h"

#include "access.h"
#include "answer.h"
#include "body.h"
#include "conn.h"
#include "stream.h"

#define GO_ON 0             /* no verdict yet: look at the state again */
#define BODY_PIECE 16384    /* what body_timeout is given for */
#define STREAM_RETRY 20     /* ms until a full pool is asked again */

/* ---------------------------------------------------------------- the board --------- */

static void show(reeve_conn *conn, struct http_conn *c, const char *label, size_t length)
{
    c->busy = true;
    reeve_busy(conn, label, length);
}

static void unshow(reeve_conn *conn, struct http_conn *c)
{
    if (c->busy)
        reeve_idle(conn);
    c->busy = false;
}

/* ---------------------------------------------------------------- the answer -------- */

/* The answer is queued: the request is over, unless there are more pieces to come. */
static int conn_finish(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    const struct stream *stream = &request->answer.stream;
    if (!request->answer.given || request->answer.failed || stream->state == STREAM_FAILED) {
        c->state = CONN_FAILED;
        return GO_ON;
    }
    if (stream->state == STREAM_MORE) {
        c->state = CONN_STREAM;
        return GO_ON;
    }
    if (stream->more != NULL)
        request->answer.length = (size_t)stream->written; /* for the log */
    size_t length = 0;
    const char *raw = request->head.length == 0 ? reeve_input(conn, &length) : NULL;
    access_log(request, raw, length);
    unshow(conn, c);
    c->state = request->close ? CONN_CLOSING : CONN_IDLE;
    c->timed = false;
    request_free(&c->request);
    return GO_ON;
}

static int answer_now(reeve_conn *conn, struct http_conn *c)
{
    c->request->close |= reeve_draining();
    c->request->conn = conn;
    request_handle(c->request);
    if (c->request->later != NULL) {
        c->state = CONN_JOB;
        reeve_deadline(conn, 0);
        return REEVE_JOB;
    }
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
    if (!ran) {
        c->state = CONN_CLOSING;
        request_free(&c->request);
        return;
    }
    if (request->later != NULL)
        request_judge(request, 0);
    request->close |= reeve_draining();
    request->answer.failed = !request->answer.given || !answer_send(request, conn);
    conn_finish(conn, c);
}

reeve_job *conn_put_off(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    return reeve_job_begin(conn, job_done, c->request);
}

static int conn_answer(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    if (request->refused != 0 || !request->route->handler->blocking)
        return answer_now(conn, c);

    enum conn_state before = c->state;
    c->state = CONN_JOB;
    reeve_deadline(conn, 0);
    /* From here on the request may be in another thread, or over. */
    if (reeve_submit(conn, job_run, job_done, request) == 0)
        return REEVE_JOB;
    c->state = before;
    static const char retry[] = "Retry-After: 1\r\n";
    bytes_add(&request->answer.fields, retry, sizeof retry - 1);
    request_refuse(request, 503, "The server is busy. Try again in a moment.");
    return answer_now(conn, c);
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
    if (ran)
        stream_take(arg, conn);
    c->state = ran ? CONN_STREAM : CONN_FAILED;
}

static int conn_stream(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    bool blocking = request->route->handler->blocking;
    if (request->answer.stream.state != STREAM_MORE)
        return conn_finish(conn, c);
    request->conn = blocking ? NULL : conn;
    if (!blocking) {
        stream_ask(request);
        stream_take(request, conn);
        return GO_ON;
    }
    c->state = CONN_JOB;
    if (reeve_submit(conn, piece_run, piece_done, request) == 0)
        return REEVE_JOB;
    c->state = CONN_STREAM; /* the pool is full: again a little later */
    reeve_deadline(conn, STREAM_RETRY);
    return REEVE_WANT_READ;
}

/* The bytes that came are no request, or come too slowly: nothing behind them can be trusted. */
static int conn_refuse(reeve_conn *conn, struct http_conn *c, int status, const char *why)
{
    static const char label[] = "bad request";
    if (!c->busy)
        show(conn, c, label, sizeof label - 1);
    c->request->refused = status;
    c->request->why = why;
    c->request->close = true;
    return answer_now(conn, c);
}

/* ---------------------------------------------------------------- body -------------- */

static int body_begin(reeve_conn *conn, struct http_conn *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct request *request = c->request;
    bool expect = request->parse.expect && request->parse.minor > 0;
    bool large = !request->chunked && request->body_left > settings.body_limit;
    if (large)
        request_refuse(request, 413, "The request body is too large.");
    if (large || (expect && request->refused != 0)) {
        request->close = true; /* the body is not wanted, and may come or not */
        return conn_answer(conn, c);
    }
    size_t length;
    reeve_input(conn, &length);
    if (expect && length == 0 && reeve_send(conn, go_on, sizeof go_on - 1) != 0)
        return REEVE_ERROR;
    c->state = CONN_BODY;
    c->progress = 0;
    reeve_deadline(conn, settings.body_timeout);
    return GO_ON;
}

static int body_more(reeve_conn *conn, struct http_conn *c)
{
    if (reeve_at_end(conn)) { /* half a request: there is nobody to answer */
        c->state = CONN_CLOSING;
        return GO_ON;
    }
    if (c->request->body.length - c->progress >= BODY_PIECE) {
        c->progress = c->request->body.length;
        reeve_deadline(conn, settings.body_timeout);
    }
    return REEVE_WANT_READ;
}

static int conn_body(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    switch (body_read(conn, request)) {
    case BODY_MORE:
        return body_more(conn, c);
    case BODY_END:
        return conn_answer(conn, c);
    case BODY_BAD:
        return conn_refuse(conn, c, 400, "The chunked body is malformed.");
    case BODY_LARGE:
        return conn_refuse(conn, c, 413, "The request body is too large.");
    case BODY_NO_MEMORY:
        break;
    }
    return REEVE_ERROR;
}

/* ---------------------------------------------------------------- head -------------- */

static int head_more(reeve_conn *conn, struct http_conn *c)
{
    if (reeve_at_end(conn)) {
        c->state = CONN_CLOSING;
        return GO_ON;
    }
    if (!c->timed)
        reeve_deadline(conn, settings.header_timeout);
    c->timed = true;
    return REEVE_WANT_READ;
}

static int conn_head(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    const struct parse *parse = &request->parse;
    size_t length, used;
    const char *data = reeve_input(conn, &length);
    switch (parse_head(&request->parse, &settings.limits, data, length, &used)) {
    case PARSE_MORE:
        return head_more(conn, c);
    case PARSE_BAD:
        return conn_refuse(conn, c, parse->status, parse->why);
    case PARSE_DONE:
        break;
    }
    if (!request_accept(request, data, used))
        return REEVE_ERROR;
    show(conn, c, data + parse->method.at,
         parse->target.at + parse->target.length - parse->method.at);
    reeve_consume(conn, used);
    if (request->chunked || request->body_left > 0)
        return body_begin(conn, c);
    return conn_answer(conn, c);
}

/* Empty lines before a request are skipped: old clients send one behind a body. */
static const char *skip_empty_lines(reeve_conn *conn, size_t *length)
{
    const char *data = reeve_input(conn, length);
    size_t skip = 0;
    while (*length - skip >= 2 && data[skip] == '\r' && data[skip + 1] == '\n')
        skip += 2;
    if (skip == 0)
        return data;
    reeve_consume(conn, skip);
    return reeve_input(conn, length);
}

static int conn_idle(reeve_conn *conn, struct http_conn *c)
{
    size_t length;
    const char *data = skip_empty_lines(conn, &length);
    if (length == 0 || (length == 1 && data[0] == '\r')) {
        if (reeve_at_end(conn)) {
            c->state = CONN_CLOSING;
            return GO_ON;
        }
        if (!c->timed) /* once: empty lines do not buy time */
            reeve_deadline(conn, settings.keepalive_timeout);
        c->timed = true;
        return REEVE_WANT_READ;
    }
    c->request = request_new(conn);
    if (c->request == NULL)
        return REEVE_ERROR;
    c->state = CONN_HEAD;
    c->timed = false;
    return GO_ON;
}

/* ---------------------------------------------------------------- hooks ------------- */

static int conn_once(reeve_conn *conn, struct http_conn *c)
{
    switch (c->state) {
    case CONN_IDLE:
        return conn_idle(conn, c);
    case CONN_HEAD:
        return conn_head(conn, c);
    case CONN_BODY:
        return conn_body(conn, c);
    case CONN_JOB:
        return REEVE_JOB;
    case CONN_STREAM:
        return conn_stream(conn, c);
    case CONN_CLOSING:
        return REEVE_CLOSE;
    case CONN_FAILED:
        break;
    }
    return REEVE_ERROR;
}

reeve_verdict conn_step(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    int verdict;
    do
        verdict = conn_once(conn, c);
    while (verdict == GO_ON && !reeve_congested(conn));
    if (verdict == GO_ON)
        verdict = REEVE_WANT_WRITE;
    return c->said = (reeve_verdict)verdict;
}

reeve_verdict conn_expired(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    if (c->state == CONN_IDLE)
        c->state = CONN_CLOSING;
    else if (c->state == CONN_HEAD || c->state == CONN_BODY)
        conn_refuse(conn, c, 408, "The request did not come in time.");
    return conn_step(conn);
}

/* A request in hand is answered with Connection: close, see answer_now(). A connection that waits
 * has had its time to send one more. */
reeve_verdict conn_drain(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    if (c->state != CONN_IDLE || c->said != REEVE_WANT_READ)
        return c->said;
    c->state = CONN_CLOSING;
    return conn_step(conn);
}

void conn_close(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    unshow(conn, c);
    request_free(&c->request);
}
