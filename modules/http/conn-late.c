/* A connection that speaks HTTP/1, and whose handler takes too long: its client gets a 503.
 *
 * Runs in the loop's thread. The request belongs to the thread that is lost in it: from here on the
 * connection has another one, a twin, that is answered and logged, and the first one is freed when
 * its job is back, which may be never. */
#include "config.h"

#include "conn.h"

reeve_verdict conn_late(reeve_conn *conn)
{
    struct http_conn *c = reeve_state(conn);
    struct request *lost = c->request;
    if (c->state != CONN_JOB || c->late)
        return REEVE_ERROR;
    c->late = true;
    c->request = c->begun ? NULL : request_twin(lost, conn);
    if (c->request == NULL) {
        conn_become(c, CONN_FAILED);
        return REEVE_ERROR;
    }
    c->request->close = true;
    request_refuse(c->request, 503, "The answer took too long.");
    reeve_linger(conn);
    conn_answer_now(conn, c);
    return conn_step(conn);
}

bool conn_came_late(struct http_conn *c, struct request *request)
{
    if (!c->late)
        return false;
    request_free(&request);
    return true;
}
