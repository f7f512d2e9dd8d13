/* A connection that speaks HTTP/1: head, body, handler, answer, and again.
 *
 * Runs in the loop's thread that owns the connection; conn-body.c takes the body, conn-answer.c
 * answers.
 * A step takes as many requests as the input holds, until the output is congested; so the answers
 * of a pipeline leave together and in order. The state holds a request only while there is one in
 * hand; it owns it.
 */
#include "config.h"

#include "access.h"
#include "answer.h"
#include "conn.h"

/* ---------------------------------------------------------------- refusing ---------- */

int conn_refuse(reeve_conn *conn, struct http_conn *c, int status, const char *why)
{
    static const char label[] = "bad request";
    struct request *request = c->request;
    const struct slice method = request->parse.method;
    size_t length;
    const char *data = reeve_input(conn, &length);
    if (request->head.length == 0) /* request_accept() was not asked; the head is still there */
        request->headless = method.length == 4 && memcmp(data + method.at, "HEAD", 4) == 0;
    if (!c->busy)
        conn_show(conn, c, label, sizeof label - 1);
    answer_reset(&request->answer); /* of fields that the handler or a refusal had set */
    request->refused = status;
    request->why = why;
    request->close = true;
    reeve_linger(conn);
    return conn_answer_now(conn, c);
}

/* ---------------------------------------------------------------- head -------------- */

/* The head is judged: now the body, if there is one. */
static int conn_go_on(reeve_conn *conn, struct http_conn *c)
{
    if (c->request->chunked || c->request->body_left > 0)
        return conn_body_begin(conn, c);
    return conn_answer(conn, c);
}

static void proof_done(reeve_conn *conn, void *arg, bool ran)
{
    struct http_conn *c = reeve_state(conn);
    auth_end();
    if (conn_came_late(c, arg))
        return;
    if (!ran && !reeve_ended(conn)) {
        auth_forget(c->request);
        conn_refuse_busy(c->request);
    }
    conn_become(c, ran || !reeve_ended(conn) ? CONN_PROVEN : CONN_CLOSING);
}

/* Before the body: who may not send one is not asked for it. */
static int conn_prove(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    if (auth_begin()) {
        conn_become(c, CONN_JOB);
        reeve_deadline(conn, 0);
        if (reeve_submit_request(conn, auth_run, proof_done, request,
                                 request->route->priority) == 0)
            return REEVE_JOB;
        conn_become(c, CONN_HEAD);
        auth_end();
    }
    auth_forget(request);
    conn_refuse_busy(request);
    return conn_go_on(conn, c);
}

static int head_more(reeve_conn *conn, struct http_conn *c)
{
    if (reeve_at_end(conn)) {
        conn_become(c, CONN_CLOSING);
        return GO_ON;
    }
    if (!c->timed)
        reeve_deadline(conn, settings.header_timeout);
    c->timed = true;
    return REEVE_WANT_READ;
}

/* The last one that this connection may ask? What comes behind it is not answered. */
static void conn_count(reeve_conn *conn, struct http_conn *c)
{
    c->requests++;
    if (settings.keepalive_requests == 0 || c->requests < settings.keepalive_requests)
        return;
    c->request->close = true;
    reeve_linger(conn);
}

/* `data` is the input. Where a request begins this is part of conn_idle(). */
static inline __attribute__((always_inline)) int
conn_head(reeve_conn *conn, struct http_conn *c, const char *data, size_t length)
{
    struct request *request = c->request;
    const struct parse *parse = &request->parse;
    enum parse_result result;
    do
        result = parse_head(&request->parse, &settings.limits, data, length);
    while (result == PARSE_ROOM && request_grow(request));
    switch (result) {
    case PARSE_ROOM:
        return REEVE_ERROR;
    case PARSE_MORE:
        return head_more(conn, c);
    case PARSE_BAD:
        return conn_refuse(conn, c, parse->status, parse->why);
    case PARSE_DONE:
        break;
    }
    const size_t used = parse->line;
    if (!request_accept(request, data, used))
        return REEVE_ERROR;
    conn_count(conn, c);
    conn_show(conn, c, data + parse->method.at,
         parse->target.at + parse->target.length - parse->method.at);
    reeve_consume(conn, used);
    return request->unproven ? conn_prove(conn, c) : conn_go_on(conn, c);
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
            conn_become(c, CONN_CLOSING);
            return GO_ON;
        }
        if (!c->timed) { /* once: empty lines do not buy time */
            reeve_deadline(conn, settings.keepalive_timeout);
            c->idle_until = reeve_now() + settings.keepalive_timeout;
        }
        c->timed = true;
        return REEVE_WANT_READ;
    }
    c->request = request_new(conn);
    if (c->request == NULL)
        return REEVE_ERROR;
    conn_become(c, CONN_HEAD);
    c->timed = false;
    return conn_head(conn, c, data, length);
}

static int conn_head_more(reeve_conn *conn, struct http_conn *c)
{
    size_t length;
    const char *data = reeve_input(conn, &length);
    return conn_head(conn, c, data, length);
}

/* ---------------------------------------------------------------- hooks ------------- */

static int conn_once(reeve_conn *conn, struct http_conn *c)
{
    switch (c->state) {
    case CONN_IDLE:
        return conn_idle(conn, c);
    case CONN_HEAD:
        return conn_head_more(conn, c);
    case CONN_BODY:
        return conn_body(conn, c);
    case CONN_ASK:
        return conn_ask(conn, c);
    case CONN_JOB:
        return REEVE_JOB;
    case CONN_STREAM:
        return conn_stream(conn, c);
    case CONN_SENDING:
        return conn_sent(conn, c);
    case CONN_PROVEN:
        return conn_go_on(conn, c);
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
        conn_become(c, CONN_CLOSING);
    else if (c->state == CONN_HEAD || c->state == CONN_BODY)
        conn_refuse(conn, c, 408, "The request did not come in time.");
    return conn_step(conn);
}

/* A request in hand is answered with Connection: close, see conn_answer_now(). A connection that
 * waits has had its time to send one more. */
reeve_verdict conn_drain(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    if (c->state != CONN_IDLE || c->said != REEVE_WANT_READ)
        return c->said;
    conn_become(c, CONN_CLOSING);
    return conn_step(conn);
}

void conn_close(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    conn_unshow(conn, c);
    if (c->request != NULL && (c->request->head.length > 0 || c->request->answer.begun))
        access_interrupted(c->request, reeve_queued(conn));
    request_free(&c->request);
}
