/* A request and its handler: asking it, and the functions that it is given.
 *
 * Runs in the loop's thread, or for a blocking handler in a pool thread, which then has the request
 * alone; so nothing here touches the connection unless request->conn says that it may.
 */
#include "config.h"

#include <strings.h>
#include <unistd.h>

#include "answer.h"
#include "conn.h"
#include "form.h"
#include "ident.h"
#include "request.h"
#include "stream.h"

/* ---------------------------------------------------------------- answering --------- */

/* The answer has been said: queue it now, in the loop, or keep it until the job is done. */
static int give(struct request *request)
{
    request->answer.given = true;
    if (request->conn == NULL)
        return 0;
    request->answer.failed = !answer_send(request, request->conn);
    return request->answer.failed ? -1 : 0;
}

/* The site's own page of an error, else the standard one. */
static bool make_page(struct request *request, int status, const char *why)
{
    struct answer *answer = &request->answer;
    const struct page *page =
        request->site != NULL ? pages_find(&request->site->pages, status) : NULL;
    if (page == NULL)
        return answer_page(answer, status, why);
    answer->status = status;
    strcpy(answer->type, page->type);
    answer->body = page->data;
    answer->length = page->length;
    return true;
}

static int give_page(struct request *request, int status, const char *why)
{
    if (request->answer.given || answer_reason(status) == NULL ||
        !make_page(request, status, why))
        return -1;
    return give(request);
}

void request_handle(struct request *request)
{
    if (request->refused != 0) {
        give_page(request, request->refused, request->why);
        return;
    }
    int result = request->route->handler->handle(&request->public, request->route->config);
    if (request->later == NULL && !request->again)
        request_judge(request, result);
}

void request_receive(struct request *request, const void *data, size_t length)
{
    const struct route *route = request->route;
    request->receiving = true;
    int result = route->receive(&request->public, route->config, data, length);
    request->receiving = false;
    if (result != 0)
        request_judge(request, result);
}

void request_judge(struct request *request, int result)
{
    const struct route *route = request->route;
    if (request->answer.given && result == 0)
        return;
    reeve_log(REEVE_LOG_ERROR, "handler-failed",
              "handler %s of route %s in site %s returned %d %s an answer to %s %.200s",
              route->module, route->prefix, route->site, result,
              request->answer.given ? "after" : "without",
              request_text(request, request->parse.method),
              request_text(request, request->parse.target));
    if (!request->answer.given) {
        answer_reset(&request->answer);
        give_page(request, 500, NULL);
    }
}

/* ---------------------------------------------------------------- for handlers ------ */

static const struct request *const_of(const struct reeve_request *public)
{
    return (const struct request *)(const void *)public;
}

static struct request *request_of(struct reeve_request *public)
{
    return (struct request *)(void *)public;
}

static const char *api_method(const struct reeve_request *public)
{
    return request_text(const_of(public), const_of(public)->parse.method);
}

static const char *api_target(const struct reeve_request *public)
{
    return request_text(const_of(public), const_of(public)->parse.target);
}

static const char *api_path(const struct reeve_request *public)
{
    return const_of(public)->path;
}

static const char *api_rest(const struct reeve_request *public)
{
    const struct request *request = const_of(public);
    return request->path_length > request->route->length ? request->path + request->route->length
                                                         : "/";
}

static const char *api_query(const struct reeve_request *public)
{
    return const_of(public)->query;
}

static const char *api_header(const struct reeve_request *public, const char *name)
{
    const struct request *request = const_of(public);
    size_t length = strlen(name);
    for (unsigned i = 0; i < request->parse.count; i++) {
        const struct parse_field *field = &request->parse.fields[i];
        if (field->name.length == length &&
            strcasecmp(request_text(request, field->name), name) == 0)
            return request_text(request, field->value);
    }
    return NULL;
}

static const char *api_body(const struct reeve_request *public, size_t *length)
{
    const struct request *request = const_of(public);
    *length = request->receiving ? 0 : request->body.length; /* a piece is not the body */
    return *length > 0 ? request->body.data : "";
}

static const char *api_peer(const struct reeve_request *public)
{
    return const_of(public)->peer;
}

static const char *api_user(const struct reeve_request *public)
{
    return const_of(public)->user;
}

static const char *api_id(struct reeve_request *public)
{
    return ident_of(request_of(public));
}

/* Fields that frame the answer or that the core writes itself. */
static bool is_reserved(const char *name)
{
    static const char *const names[] = {"content-length", "transfer-encoding", "connection", "date",
                                        "keep-alive", "server"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return settings.request_id != NULL && strcasecmp(name, settings.request_id) == 0;
}

static bool is_value(const char *value)
{
    while (*value != '\0' && parse_is_value(*value))
        value++;
    return *value == '\0';
}

static bool is_name(const char *name)
{
    size_t n = 0;
    while (name[n] != '\0' && parse_is_token(name[n]))
        n++;
    return n > 0 && name[n] == '\0';
}

static int api_set_header(struct reeve_request *public, const char *name, const char *value)
{
    struct request *request = request_of(public);
    struct bytes *fields = &request->answer.fields;
    size_t name_length = strlen(name), value_length = strlen(value);
    if (request->answer.given || !is_name(name) || !is_value(value) || is_reserved(name) ||
        !bytes_room(fields, name_length + value_length + 4))
        return -1;
    bytes_add(fields, name, name_length);
    bytes_add(fields, ": ", 2);
    bytes_add(fields, value, value_length);
    bytes_add(fields, "\r\n", 2);
    return 0;
}

/* Status and type of an answer, checked. */
static bool begin_reply(struct request *request, int status, const char *type)
{
    struct answer *answer = &request->answer;
    if (type == NULL)
        type = "";
    if (answer->given || answer_reason(status) == NULL || !is_value(type) ||
        strlen(type) >= sizeof answer->type)
        return false;
    answer->status = status;
    strcpy(answer->type, type);
    return true;
}

static int api_reply(struct reeve_request *public, int status, const char *type, const void *body,
                     size_t length)
{
    struct request *request = request_of(public);
    struct answer *answer = &request->answer;
    if (!begin_reply(request, status, type))
        return -1;
    answer->body = body;
    answer->length = length;
    if (request->conn == NULL) {
        answer->owned.length = 0;
        if (!bytes_add(&answer->owned, body, length))
            return -1;
        answer->body = answer->owned.data;
    }
    return give(request);
}

static int api_reply_file(struct reeve_request *public, int status, const char *type, int fd,
                          off_t offset, size_t length)
{
    struct request *request = request_of(public);
    if (!begin_reply(request, status, type)) {
        close(fd);
        return -1;
    }
    request->answer.fd = fd;
    request->answer.offset = offset;
    request->answer.length = length;
    return give(request);
}

static int api_reply_status(struct reeve_request *public, int status)
{
    return give_page(request_of(public), status, NULL);
}

static int api_reply_stream(struct reeve_request *public, int status, const char *type,
                            uint64_t length, int (*more)(struct reeve_request *, void *arg),
                            void (*over)(void *arg), void *arg)
{
    struct request *request = request_of(public);
    if (more == NULL || !begin_reply(request, status, type))
        return -1;
    struct answer *answer = &request->answer;
    answer->stream = (struct stream){.length = length, .more = more, .arg = arg};
    if (give(request) != 0)
        return -1;
    answer->stream.over = over;
    return 0;
}

static int api_write(struct reeve_request *public, const void *data, size_t length)
{
    return stream_write(request_of(public), data, length);
}

/* ---------------------------------------------------------------- later ------------- */

static int api_defer(struct reeve_request *public)
{
    struct request *request = request_of(public);
    if (request->answer.given || request->later != NULL || request->receiving)
        return -1;
    request->later = request->conn != NULL ? conn_put_off(request->conn) : reeve_job_keep();
    if (request->later == NULL)
        return -1;
    request->conn = NULL; /* the answer is kept until the loop has it back */
    return 0;
}

static void api_finish(struct reeve_request *public)
{
    reeve_job_end(request_of(public)->later);
}

static bool api_is_wanted(const struct reeve_request *public)
{
    const struct request *request = const_of(public);
    return request->later != NULL ? reeve_job_wanted(request->later) : !reeve_cancelled();
}

/* ---------------------------------------------------------------- in the pool ------- */

static bool api_may_wait(const struct reeve_request *public)
{
    return const_of(public)->waits;
}

static int api_again(struct reeve_request *public)
{
    struct request *request = request_of(public);
    if (request->waits || request->answer.given || request->later != NULL || request->receiving)
        return -1;
    answer_reset(&request->answer);
    request->again = true;
    return 0;
}

/* ---------------------------------------------------------------- helpers ----------- */

static void *api_alloc(struct reeve_request *public, size_t size)
{
    return request_alloc(request_of(public), size);
}

static int api_keep(struct reeve_request *public, void *pointer, void (*over)(void *pointer))
{
    return request_keep(request_of(public), pointer, over);
}

static void *api_kept(const struct reeve_request *public)
{
    return const_of(public)->kept;
}

static const char *value_in(struct request *request, const char *text, size_t length,
                            const char *name)
{
    size_t value_length;
    const char *value = form_find(text, length, name, &value_length);
    char *copy = value != NULL ? request_alloc(request, value_length + 1) : NULL;
    if (copy != NULL)
        form_decode(value, value_length, copy);
    return copy;
}

static const char *api_query_value(struct reeve_request *public, const char *name)
{
    const char *query = api_query(public);
    return value_in(request_of(public), query, strlen(query), name);
}

static const char *api_form_value(struct reeve_request *public, const char *name)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = api_header(public, "content-type");
    size_t length;
    if (type == NULL || strncasecmp(type, form, sizeof form - 1) != 0 ||
        strchr("; \t", type[sizeof form - 1]) == NULL)
        return NULL;
    const char *body = api_body(public, &length);
    return value_in(request_of(public), body, length, name);
}

const struct reeve_http_api handle_api = {
    .method = api_method,
    .target = api_target,
    .path = api_path,
    .rest = api_rest,
    .query = api_query,
    .header = api_header,
    .body = api_body,
    .peer = api_peer,
    .set_header = api_set_header,
    .reply = api_reply,
    .reply_file = api_reply_file,
    .reply_status = api_reply_status,
    .reply_stream = api_reply_stream,
    .write = api_write,
    .defer = api_defer,
    .is_wanted = api_is_wanted,
    .finish = api_finish,
    .alloc = api_alloc,
    .query_value = api_query_value,
    .form_value = api_form_value,
    .again = api_again,
    .may_wait = api_may_wait,
    .user = api_user,
    .id = api_id,
    .keep = api_keep,
    .kept = api_kept,
};
