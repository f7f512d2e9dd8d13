/* One HTTP request: its memory, what its head asks for, and what handlers see of it.
 *
 * The head is copied once, when it is complete: handlers want texts that end with NUL and stay where
 * they are, also while the input moves on. Requests are kept for reuse by the loop thread that made
 * them, so that a small request allocates nothing.
 */
#include "config.h"

#include <dlfcn.h>
#include <strings.h>
#include <unistd.h>

#include "answer.h"
#include "path.h"
#include "request.h"

#define SPARE_MAX 8         /* requests kept by a thread */
#define HEAD_KEEP 8192      /* memory kept in a spare one */

static _Thread_local struct request *spare;
static _Thread_local unsigned spare_count;

static const struct reeve_http_api api;

/* ---------------------------------------------------------------- memory ------------ */

struct request *request_new(reeve_conn *conn)
{
    struct request *request = spare;
    if (request != NULL) {
        spare = request->next;
        spare_count--;
    } else {
        request = calloc(1, sizeof *request);
        if (request == NULL)
            return NULL;
        request->public.api = &api;
        request->answer.fd = -1;
    }
    request->peer = reeve_peer(conn);
    request->path = request->query = "";
    parse_start(&request->parse);
    return request;
}

static void request_reset(struct request *request)
{
    request->conn = NULL;
    request->route = NULL;
    request->refused = 0;
    request->why = NULL;
    request->close = request->headless = request->chunked = false;
    request->path_length = 0;
    request->chunk = (struct chunk){0};
    request->body_left = 0;
    bytes_reset(&request->head, HEAD_KEEP);
    bytes_reset(&request->body, HEAD_KEEP);
    answer_reset(&request->answer);
}

static void request_destroy(struct request *request)
{
    free(request->head.data);
    free(request->body.data);
    free(request->answer.fields.data);
    free(request->answer.owned.data);
    free(request);
}

void request_free(struct request **pointer)
{
    struct request *request = *pointer;
    *pointer = NULL;
    if (request == NULL)
        return;
    request_reset(request);
    if (spare_count >= SPARE_MAX) {
        request_destroy(request);
        return;
    }
    request->next = spare;
    spare = request;
    spare_count++;
}

void request_thread_exit(void)
{
    while (spare != NULL) {
        struct request *next = spare->next;
        request_destroy(spare);
        spare = next;
    }
    spare_count = 0;
}

/* ---------------------------------------------------------------- accepting --------- */

/* Methods that mean something here or to a handler. CONNECT is none: this is not a proxy. */
static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "PROPPATCH",
    "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY",
};

static bool is_method(const char *method)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

void request_refuse(struct request *request, int status, const char *why)
{
    if (request->refused != 0)
        return;
    request->refused = status;
    request->why = why;
}

static char *text(const struct request *request, struct slice slice)
{
    return request->head.data + slice.at;
}

/* Copies the head, puts NUL behind each text in it, and leaves room for the path. */
static bool copy_head(struct request *request, const char *head, size_t length)
{
    struct parse *parse = &request->parse;
    if (!bytes_room(&request->head, length + parse->target.length + 3) ||
        !bytes_add(&request->head, head, length))
        return false;
    text(request, parse->method)[parse->method.length] = '\0';
    text(request, parse->target)[parse->target.length] = '\0';
    for (unsigned i = 0; i < parse->count; i++) {
        text(request, parse->fields[i].name)[parse->fields[i].name.length] = '\0';
        text(request, parse->fields[i].value)[parse->fields[i].value.length] = '\0';
    }
    return true;
}

/* "OPTIONS *" asks the server as a whole. */
static void accept_asterisk(struct request *request)
{
    static const char allow[] = "Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n";
    if (strcmp(text(request, request->parse.method), "OPTIONS") != 0)
        request_refuse(request, 400, "The target \"*\" goes with OPTIONS only.");
    else if (bytes_add(&request->answer.fields, allow, sizeof allow - 1))
        request_refuse(request, 204, NULL);
    else
        request_refuse(request, 500, NULL);
}

static void accept_route(struct request *request, const struct target *target)
{
    const struct parse *parse = &request->parse;
    const char *host = target->host;
    size_t length = target->host_length;
    if (host == NULL) {
        host = text(request, parse->host);
        length = parse->host.length;
    }
    if (!host_name(host, length, &length)) {
        request_refuse(request, 400, "Host is not a host name.");
        return;
    }
    char *path = request->head.data + request->head.length;
    if (!path_decode(target->path, target->path_length, path, &request->path_length)) {
        request_refuse(request, 400, "The path is malformed or leads above the root.");
        return;
    }
    request->path = path;
    request->query = target->query;
    request->route = route_find(site_find(host, length), path, request->path_length);
    if (request->route == NULL)
        request_refuse(request, 404, NULL);
}

bool request_accept(struct request *request, const char *head, size_t length)
{
    const struct parse *parse = &request->parse;
    if (!copy_head(request, head, length))
        return false;
    request->close = parse->close || (parse->minor == 0 && !parse->keep_alive);
    request->chunked = parse->has_coding;
    request->body_left = parse->content_length;

    const char *method = text(request, parse->method);
    request->headless = strcmp(method, "HEAD") == 0;
    if (!is_method(method)) {
        request_refuse(request, 501, "The method is not known here.");
        return true;
    }
    struct target target;
    switch (target_split(text(request, parse->target), parse->target.length, &target)) {
    case TARGET_ORIGIN:
    case TARGET_ABSOLUTE:
        accept_route(request, &target);
        break;
    case TARGET_ASTERISK:
        accept_asterisk(request);
        break;
    case TARGET_BAD:
        request_refuse(request, 400, "The request target is malformed.");
        break;
    }
    if (request->refused == 400)
        request->close = true;
    return true;
}

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

static int give_page(struct request *request, int status, const char *why)
{
    if (request->answer.given || answer_reason(status) == NULL ||
        !answer_page(&request->answer, status, why))
        return -1;
    return give(request);
}

/* The file that a function came from names its module. */
static const char *module_of(const struct route *route)
{
    Dl_info info;
    if (dladdr(route->handler, &info) == 0 || info.dli_fname == NULL)
        return "?";
    const char *slash = strrchr(info.dli_fname, '/');
    return slash != NULL ? slash + 1 : info.dli_fname;
}

void request_handle(struct request *request)
{
    if (request->refused != 0) {
        give_page(request, request->refused, request->why);
        return;
    }
    const struct route *route = request->route;
    int result = route->handler->handle(&request->public, route->config);
    if (request->answer.given && result == 0)
        return;
    reeve_log(REEVE_LOG_ERROR, "handler-failed",
              "handler %s of route %s in site %s returned %d %s an answer to %s %.200s",
              module_of(route), route->prefix, route->site, result,
              request->answer.given ? "after" : "without",
              text(request, request->parse.method), text(request, request->parse.target));
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
    return text(const_of(public), const_of(public)->parse.method);
}

static const char *api_target(const struct reeve_request *public)
{
    return text(const_of(public), const_of(public)->parse.target);
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
        if (field->name.length == length && strcasecmp(text(request, field->name), name) == 0)
            return text(request, field->value);
    }
    return NULL;
}

static const char *api_body(const struct reeve_request *public, size_t *length)
{
    const struct request *request = const_of(public);
    *length = request->body.length;
    return request->body.length > 0 ? request->body.data : "";
}

static const char *api_peer(const struct reeve_request *public)
{
    return const_of(public)->peer;
}

/* Fields that frame the answer or that the core writes itself. */
static bool is_reserved(const char *name)
{
    static const char *const names[] = {"content-length", "transfer-encoding", "connection", "date",
                                        "keep-alive", "server"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
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

static const struct reeve_http_api api = {
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
};
