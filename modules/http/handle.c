/* A request and its handler: asking it, judging what it returns, and the table of what it is given.
 *
 * Runs in the loop's thread, or for a handler that may wait in a pool thread, which then has the
 * request alone. What must hold: whatever a handler does, its request gets one answer.
 */
#include "config.h"

#include "answer.h"
#include "asked.h"
#include "conn.h"
#include "prepared.h"
#include "reply.h"

/* ---------------------------------------------------------------- asking ------------ */

/* For the report of a crash: in the handler of a signal. */
static void describe(const void *arg, reeve_hand *hand)
{
    const struct request *request = arg;
    *hand = (reeve_hand){
        .module = request->route->module,
        .site = request->route->site,
        .route = request->route->prefix,
        .method = request_text(request, request->parse.method),
        .target = request_text(request, request->parse.target),
    };
}

void request_in_hand(const struct request *request)
{
    if (request != NULL)
        reeve_in_hand_at(describe, request, &request->route->place);
    else
        reeve_in_hand_at(NULL, NULL, NULL);
}

void request_handle(struct request *request)
{
    const struct route *route = request->route;
    if (request->refused != 0) {
        reply_page(request, request->refused, request->why);
        return;
    }
    request_in_hand(request);
    int result = route->handler->handle(&request->public, route->config);
    request_in_hand(NULL);
    /* in this order: who has put it off may be giving it just now */
    if (result != 0 || request->conn == NULL || !request->answer.given)
        request_judge(request, result);
}

/* What is wrong with it that a handler has returned that; NULL: nothing. Where the answer was put
 * off, another thread may be giving it just now. */
static const char *fault_of(const struct request *request, int result)
{
    if (request->later != NULL)
        return result != 0 ? "although it had put off its answer to" : NULL;
    if (request->again)
        return result != 0 ? "although it had asked to be asked again for" : NULL;
    if (!request->answer.given)
        return "without an answer to";
    return result != 0 ? "after an answer to" : NULL;
}

void request_receive(struct request *request, const void *data, size_t length)
{
    const struct route *route = request->route;
    request->receiving = true;
    request_in_hand(request);
    int result = route->receive(&request->public, route->config, data, length);
    request_in_hand(NULL);
    request->receiving = false;
    if (result != 0)
        request_judge(request, result);
}

void request_judge(struct request *request, int result)
{
    const struct route *route = request->route;
    const char *fault = fault_of(request, result);
    if (fault == NULL)
        return;
    reeve_log(REEVE_LOG_ERROR, "handler-failed",
              "handler %s of route %s in site %s returned %d %s %s %.200s", route->module,
              route->prefix, route->site, result, fault,
              request_text(request, request->parse.method),
              request_text(request, request->parse.target));
    if (request->later != NULL || request->answer.given)
        return;
    request->again = false;
    answer_reset(&request->answer);
    reply_page(request, 500, NULL);
}

/* ---------------------------------------------------------------- later ------------- */

static int handle_defer(struct reeve_request *public)
{
    struct request *request = request_of(public);
    if (request->answer.given || request->again || request->later != NULL || request->receiving)
        return -1;
    request->later = request->conn != NULL ? conn_put_off(request->conn) : reeve_job_keep();
    if (request->later == NULL)
        return -1;
    request->conn = NULL; /* the answer is kept until the loop has it back */
    return 0;
}

static void handle_finish(struct reeve_request *public)
{
    struct request *request = request_of(public);
    const struct route *route = request->route;
    if (request->later != NULL)
        reeve_job_end(request->later);
    else
        reeve_log(REEVE_LOG_ERROR, "handler-failed",
                  "handler %s of route %s in site %s finished a request that it had not put off",
                  route->module, route->prefix, route->site);
}

static bool handle_is_wanted(const struct reeve_request *public)
{
    const struct request *request = request_of(public);
    return request->later != NULL ? reeve_job_wanted(request->later) : !reeve_cancelled();
}

/* ---------------------------------------------------------------- in the pool ------- */

static bool handle_may_wait(const struct reeve_request *public)
{
    return request_of(public)->waits;
}

static int handle_again(struct reeve_request *public)
{
    struct request *request = request_of(public);
    if (request->waits || request->again || request->answer.given || request->later != NULL ||
        request->receiving)
        return -1;
    answer_reset(&request->answer);
    request->again = true;
    return 0;
}

/* ---------------------------------------------------------------- the table --------- */

static void *handle_alloc(struct reeve_request *public, size_t size)
{
    return request_alloc(request_of(public), size);
}

static int handle_keep(struct reeve_request *public, void *pointer, void (*over)(void *pointer))
{
    return request_keep(request_of(public), pointer, over);
}

static void *handle_kept(const struct reeve_request *public)
{
    return request_of(public)->kept;
}

const struct reeve_http_api handle_api = {
    .method = asked_method,
    .target = asked_target,
    .path = asked_path,
    .rest = asked_rest,
    .query = asked_query,
    .header = asked_header,
    .body = asked_body,
    .peer = asked_peer,
    .set_header = reply_set_header,
    .reply = reply_bytes,
    .reply_file = reply_file,
    .reply_status = reply_status,
    .reply_stream = reply_stream,
    .write = reply_write,
    .defer = handle_defer,
    .is_wanted = handle_is_wanted,
    .finish = handle_finish,
    .alloc = handle_alloc,
    .query_value = asked_query_value,
    .form_value = asked_form_value,
    .again = handle_again,
    .may_wait = handle_may_wait,
    .user = asked_user,
    .id = asked_id,
    .interim = reply_interim,
    .set_trailer = reply_set_trailer,
    .is_conditional = asked_is_conditional,
    .prepare = reply_prepare,
    .prepare_file = reply_prepare_file,
    .reply_prepared = prepared_reply,
    .prepared_free = prepared_free,
    .keep = handle_keep,
    .kept = handle_kept,
};
