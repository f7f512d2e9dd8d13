/* One HTTP request: its memory, and what its head asks for.
 *
 * The head is copied once, when it is complete: handlers want texts that end with NUL and stay
 * where they are, also while the input moves on. Requests are kept for reuse by the loop thread
 * that made them, so that a small request allocates nothing.
 */
#include "config.h"

#include <stdio.h>
#include <strings.h>

#include "access.h"
#include "answer.h"
#include "path.h"
#include "request.h"

#define SPARE_MAX 8         /* requests kept by a thread */
#define FIELDS_FIRST 16     /* header fields that there is room for at first */
#define HEAD_KEEP 8192      /* memory kept in a spare one */

static _Thread_local struct request_home thread_home;

/* The compiler would ask for it at each use. */
static struct request_home *find_home(void)
{
    struct request_home *home = &thread_home;
    __asm__("" : "+r"(home));
    return home;
}

/* ---------------------------------------------------------------- memory ------------ */

struct request *request_new(reeve_conn *conn)
{
    struct request_home *home = find_home();
    struct request *request = home->spare;
    if (request != NULL) {
        home->spare = request->next;
        home->spares--;
    } else {
        request = calloc(1, sizeof *request);
        if (request == NULL)
            return NULL;
        request->public.api = &handle_api;
        request->answer.fd = -1;
        request->home = home;
    }
    request->peer = reeve_peer(conn);
    request->path = request->query = "";
    if (settings.timed)
        access_begin(request);
    parse_start(&request->parse, request->parse.fields, request->parse.room);
    request->parse.seen = &home->host;
    return request;
}

struct request *request_twin(const struct request *request, reeve_conn *conn)
{
    struct request *twin = request_new(conn);
    const struct parse *parse = &request->parse;
    if (twin == NULL)
        return NULL;
    while (twin->parse.room < parse->count)
        if (!request_grow(twin))
            goto failed;
    if (!bytes_add(&twin->head, request->head.data, request->head.length))
        goto failed;
    struct parse_field *fields = twin->parse.fields;
    unsigned room = twin->parse.room;
    twin->parse = *parse;
    twin->parse.fields = fields;
    twin->parse.room = room;
    if (parse->count > 0)
        memcpy(fields, parse->fields, parse->count * sizeof *fields);
    twin->site = request->site;
    twin->route = request->route;
    twin->began = request->began;
    twin->headless = request->headless;
    return twin;
failed:
    request_free(&twin);
    return NULL;
}

/* By steps: a head that only drips shall not cost what the largest one may. */
bool request_grow(struct request *request)
{
    struct parse *parse = &request->parse;
    unsigned room = parse->room > 0 ? parse->room * 2 : FIELDS_FIRST;
    struct parse_field *fields = reallocarray(parse->fields, room, sizeof *fields);
    if (fields == NULL)
        return false;
    parse->fields = fields;
    parse->room = room;
    return true;
}

void request_lighten(struct request *request)
{
    answer_lighten(&request->answer); /* before the memory: over() may look at what lies there */
    request_memory_free(request);
    request->joined = NULL; /* lay there */
    bytes_reset(&request->body, 0);
}

static void request_reset(struct request *request)
{
    const size_t first = offsetof(struct request, conn), end = offsetof(struct request, id);
    if (request->credentials.length > 0 || request->unproven)
        auth_forget(request);
    bytes_reset(&request->head, HEAD_KEEP);
    bytes_reset(&request->body, HEAD_KEEP);
    answer_reset(&request->answer); /* before the memory: over() may look at what lies there */
    if (request_has_memory(request))
        request_memory_free(request);
    request->id[0] = '\0';
    word_zero((char *)request + first, end - first);
}

static void request_destroy(struct request *request)
{
    free(request->credentials.data);
    free(request->parse.fields);
    free(request->head.data);
    free(request->body.data);
    free(request->answer.fields.data);
    free(request->answer.trailers.data);
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
    struct request_home *home = request->home;
    if (home->spares >= SPARE_MAX) {
        request_destroy(request);
        return;
    }
    request->next = home->spare;
    home->spare = request;
    home->spares++;
}

void request_thread_exit(void)
{
    struct request_home *home = find_home();
    while (home->spare != NULL) {
        struct request *next = home->spare->next;
        request_destroy(home->spare);
        home->spare = next;
    }
    *home = (struct request_home){0};
}

/* ---------------------------------------------------------------- accepting --------- */

/* Methods that mean something here or to a handler. CONNECT is none: this is not a proxy. */
static const char methods[][10] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "PROPPATCH",
    "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY",
};

static bool is_method(const struct request *request)
{
    const char *method = request_text(request, request->parse.method);
    if (request_is(request, "GET"))
        return true;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (method[0] == methods[i][0] && strcmp(method, methods[i]) == 0)
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

/* Copies the head, puts NUL behind each text in it, and leaves room for what follows: the host, if
 * the target names it, and the path. */
static bool copy_head(struct request *request, const char *head, size_t length)
{
    struct parse *parse = &request->parse;
    if (!bytes_room(&request->head, length + parse->target.length + 3) ||
        !bytes_add(&request->head, head, length))
        return false;
    char *text = request->head.data;
    text[parse->method.at + parse->method.length] = '\0';
    text[parse->target.at + parse->target.length] = '\0';
    const struct parse_field *field = parse->fields;
    for (const struct parse_field *end = field + parse->count; field < end; field++) {
        text[field->name.at + field->name.length] = '\0';
        text[field->value.at + field->value.length] = '\0';
    }
    return true;
}

/* "OPTIONS *" asks the server as a whole. */
static void accept_asterisk(struct request *request)
{
    static const char allow[] = "Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n";
    if (!request_is(request, "OPTIONS"))
        request_refuse(request, 400, "The target \"*\" goes with OPTIONS only.");
    else if (bytes_add(&request->answer.fields, allow, sizeof allow - 1))
        request_refuse(request, 204, NULL);
    else
        request_refuse(request, 500, NULL);
}

/* May this client ask for this route? */
static void judge_client(struct request *request)
{
    const struct route *route = request->route;
    if (route->guard != NULL && !guard_admits(route->guard, request->peer)) {
        reeve_log(REEVE_LOG_INFO, "access-denied", "client %s may not ask for route %s of site %s",
                  request->peer, route->prefix, route->site);
        request_refuse(request, 403, NULL);
    } else if (route->auth != NULL) {
        auth_check(request);
    }
}

/* Not inlined: nearly no request comes so far. */
static __attribute__((noinline)) void refuse_for(struct request *request, int64_t left)
{
    char retry[40];
    int n = snprintf(retry, sizeof retry, "Retry-After: %lld\r\n", (long long)(left + 999) / 1000);
    bytes_add(&request->answer.fields, retry, (size_t)n);
    request_refuse(request, 503, "This request cannot be answered at the moment.");
}

/* Has it crashed workers, again and again? */
static void judge_record(struct request *request)
{
    int64_t left = reeve_quarantined(request->route->module,
                                     request_text(request, request->parse.method),
                                     request_text(request, request->parse.target));
    if (left != 0 && request->refused == 0)
        refuse_for(request, left);
}

static void accept_route(struct request *request, const struct target *target)
{
    const struct parse *parse = &request->parse;
    char *path = request->head.data + request->head.length;
    if (!path_decode(target->path, target->path_length, path, &request->path_length)) {
        request_refuse(request, 400, "The path is malformed or leads above the root.");
        return;
    }
    request->path = path;
    request->query = target->query;
    request->site = site_find(request_text(request, parse->host), parse->host_name);
    request->route = route_find(request->site, path, request->path_length);
    if (request->route == NULL)
        request_refuse(request, 404, NULL);
    else
        judge_client(request);
    if (request->route != NULL)
        judge_record(request);
}

/* RFC 9112, 3.2.2: the authority in a target replaces Host, whatever that says. For handlers too: a
 * Host that they see is always the one by which the site was found. */
static bool replace_host(struct request *request, const struct target *target)
{
    struct parse *parse = &request->parse;
    size_t name;
    if (!host_name(target->host, target->host_length, &name))
        return false;
    parse->host = (struct slice){(uint32_t)request->head.length, (uint32_t)target->host_length};
    parse->host_name = (uint32_t)name;
    bytes_add(&request->head, target->host, target->host_length); /* copy_head() has made room */
    bytes_add(&request->head, "", 1);
    for (unsigned i = 0; i < parse->count; i++)
        if (strcasecmp(request_text(request, parse->fields[i].name), "host") == 0)
            parse->fields[i].value = parse->host;
    return true;
}

/* True: its path is to be looked for. */
static bool accept_absolute(struct request *request, const struct target *target)
{
    if (!replace_host(request, target))
        request_refuse(request, 400, "The request target names no host.");
    else if (target->secure) /* RFC 9110, 7.4; the program does not speak TLS yet */
        request_refuse(request, 421, "What https names is not served over a plain connection.");
    else if (target->bare && request_is(request, "OPTIONS"))
        accept_asterisk(request); /* RFC 9110, 4.2.3: not the same as "/" with OPTIONS */
    else
        return true;
    return false;
}

static void accept_target(struct request *request)
{
    const struct parse *parse = &request->parse;
    struct target target;
    bool routed = false;
    switch (target_split(request_text(request, parse->target), parse->target.length, &target)) {
    case TARGET_ORIGIN:
        routed = true;
        break;
    case TARGET_ABSOLUTE:
        routed = accept_absolute(request, &target);
        break;
    case TARGET_ASTERISK:
        accept_asterisk(request);
        break;
    case TARGET_BAD:
        request_refuse(request, 400, "The request target is malformed.");
        break;
    }
    if (routed)
        accept_route(request, &target);
}

bool request_accept(struct request *request, const char *head, size_t length)
{
    const struct parse *parse = &request->parse;
    if (!copy_head(request, head, length))
        return false;
    request->close = parse->close || (parse->minor == 0 && !parse->keep_alive);
    request->chunked = parse->chunked;
    request->body_left = parse->content_length;

    request->headless = request_is(request, "HEAD");
    if (parse->unmet)
        request_refuse(request, 417, "The only expectation known here is 100-continue.");
    else if (is_method(request))
        accept_target(request);
    else
        request_refuse(request, 501, "The method is not known here.");
    /* Behind a CONNECT there may come a tunnel's bytes already: they are no requests. */
    if (request->refused == 400 || request_is(request, "CONNECT"))
        request->close = true;
    return true;
}
