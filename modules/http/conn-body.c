/* A connection that speaks HTTP/1, taking the body of a request: its time, its way to the handler,
 * and what becomes of one that nobody wants.
 *
 * Runs in the loop's thread that owns the connection, piece_run() apart, which runs in the pool's
 * and has the request alone; nothing is read meanwhile. What must hold: where a body is left
 * unread, the connection closes behind the answer, and gently.
 */
#include "config.h"

#include "body.h"
#include "conn.h"

/* ---------------------------------------------------------------- time -------------- */

/* So many bytes have come. The client has body_timeout, and a second more for each body_rate bytes;
 * but never more than body_timeout in hand: what came fast does not buy a long silence. */
static void clock_credit(struct request *request, uint64_t bytes)
{
    int64_t most = (reeve_now() + settings.body_timeout) * 1000;
    if (settings.body_rate > 0)
        request->body_due += (int64_t)(bytes * 1000000 / settings.body_rate);
    if (request->body_due > most || (settings.body_rate == 0 && bytes > 0))
        request->body_due = most;
}

/* It does not run while a piece is in the pool: that is not the client's time. */
static void clock_stop(struct request *request)
{
    request->body_due -= reeve_now() * 1000;
}

static void clock_go_on(struct request *request)
{
    request->body_due += reeve_now() * 1000;
}

/* ---------------------------------------------------------------- the end ----------- */

/* The rest of the body is not wanted, and may come or not. */
static void leave_body(reeve_conn *conn, struct request *request)
{
    request->close = true;
    reeve_linger(conn);
}

/* The handler has answered before the body was there. */
static int cut_short(reeve_conn *conn, struct http_conn *c)
{
    leave_body(conn, c->request);
    return conn_give(conn, c);
}

static int refuse_large(reeve_conn *conn, struct http_conn *c)
{
    request_refuse(c->request, 413, "The request body is too large.");
    leave_body(conn, c->request);
    return conn_answer(conn, c);
}

/* ---------------------------------------------------------------- in the pool ------- */

/* Pool thread. No body yet: the handler is asked whether it wants one. */
static void piece_run(void *arg)
{
    struct request *request = arg;
    request_receive(request, request->body.length > 0 ? request->body.data : NULL,
                    request->body.length);
}

/* The handler wants the body. */
static int welcome(reeve_conn *conn, struct http_conn *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct request *request = c->request;
    size_t length;
    reeve_input(conn, &length);
    if (request->parse.expect && length == 0 && reeve_send(conn, go_on, sizeof go_on - 1) != 0) {
        conn_become(c, CONN_FAILED);
        return GO_ON;
    }
    conn_become(c, CONN_BODY);
    request->body_due = (reeve_now() + settings.body_timeout) * 1000;
    reeve_deadline(conn, settings.body_timeout);
    return GO_ON;
}

static void piece_done(reeve_conn *conn, void *arg, bool ran)
{
    struct http_conn *c = reeve_state(conn);
    struct request *request = arg;
    if (conn_came_late(c, request))
        return;
    bool asked = request->body.length == 0;
    if (!ran) {
        conn_become(c, CONN_CLOSING); /* the client has left */
        return;
    }
    bytes_reset(&request->body, 0); /* nothing is held for a client that is slow */
    if (request->answer.given) {
        cut_short(conn, c);
    } else if (asked) {
        welcome(conn, c);
    } else {
        clock_go_on(request);
        conn_become(c, CONN_BODY);
    }
}

static int hand_over(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    request->waits = true;
    clock_stop(request);
    conn_become(c, CONN_JOB);
    reeve_deadline(conn, 0);
    /* From here on the request may be in another thread, or over. */
    if (reeve_submit(conn, piece_run, piece_done, request) == 0)
        return REEVE_JOB;
    conn_refuse_busy(request);
    leave_body(conn, request);
    return conn_answer(conn, c);
}

/* ---------------------------------------------------------------- taking it --------- */

int conn_body_begin(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    const struct parse *parse = &request->parse;
    const enum body_way way = body_way(request);
    bool received = way == BODY_RECEIVED || way == BODY_RECEIVED_IN_POOL;
    uint64_t most = received ? UINT64_MAX - 1 : settings.body_limit;
    if (!request->chunked && request->body_left > most)
        return refuse_large(conn, c);
    if (way == BODY_DROPPED && (parse->expect || parse->unmet)) {
        leave_body(conn, request);
        return conn_answer(conn, c);
    }
    if (way == BODY_RECEIVED_IN_POOL)
        return hand_over(conn, c);
    if (way == BODY_RECEIVED) {
        request_receive(request, NULL, 0);
        if (request->answer.given)
            return cut_short(conn, c);
    }
    return welcome(conn, c);
}

static int body_more(reeve_conn *conn, struct http_conn *c)
{
    if (reeve_at_end(conn)) { /* half a request: there is nobody to answer */
        conn_become(c, CONN_CLOSING);
        return GO_ON;
    }
    int64_t left = c->request->body_due / 1000 - reeve_now();
    reeve_deadline(conn, left > 0 ? left : 1); /* 0 would be none */
    return REEVE_WANT_READ;
}

int conn_body(reeve_conn *conn, struct http_conn *c)
{
    struct request *request = c->request;
    uint64_t before = request->body_taken;
    enum body_result result = body_read(conn, request);
    clock_credit(request, request->body_taken - before);
    switch (result) {
    case BODY_TAKEN:
        break;
    case BODY_PIECE:
        return hand_over(conn, c);
    case BODY_STOPPED:
        return cut_short(conn, c);
    case BODY_LARGE:
        return refuse_large(conn, c);
    case BODY_NO_MEMORY:
        return REEVE_ERROR;
    }
    switch (request->body_state) {
    case BODY_COMING:
        return body_more(conn, c);
    case BODY_COMPLETE:
        return conn_answer(conn, c);
    case BODY_MALFORMED:
        break;
    }
    return conn_refuse(conn, c, 400, "The chunked body is malformed.");
}
