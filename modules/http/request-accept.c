/* What a complete head asks for: its method, target, site and route, and whether that is granted.
 *
 * Loop thread. The head is copied once: handlers want texts that end with NUL and stay where they
 * are, also while the input moves on.
 */
#include "config.h"

#include <stdio.h>
#include <strings.h>

#include "path.h"
#include "request.h"

/* Methods that mean something here or to a handler. CONNECT is none: this is not a proxy. */
static const char methods[][10] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "PROPPATCH",
    "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY",
};

static bool is_method(const struct request *request)
{
    const char *method = request_text(request, request->parse.method);
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

/* Copies the head, puts NUL behind method, target and values, and leaves room for what follows: the
 * host, if the target names it, and the path. */
static inline bool copy_head(struct request *request, const char *head, size_t length)
{
    struct parse *parse = &request->parse;
    if (!bytes_room(&request->head, length + parse->target.length + 3))
        return false;
    char *text = request->head.data;
    memcpy(text, head, length);
    request->head.length = length;
    text[parse->method.at + parse->method.length] = '\0';
    text[parse->target.at + parse->target.length] = '\0';
    const struct parse_field *field = parse->fields;
    for (const struct parse_field *end = field + parse->count; field < end; field++)
        text[field->value.at + field->value.length] = '\0';
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

/* The path is known. */
static inline void accept_route(struct request *request)
{
    const struct parse *parse = &request->parse;
    request->site = site_find(request_text(request, parse->host), parse->host_name);
    request->route = route_find(request->site, request->path, request->path_length);
    if (request->route == NULL) {
        request_refuse(request, 404, NULL);
        return;
    }
    judge_client(request);
    judge_record(request);
}

/* True: it is good. */
static bool accept_path(struct request *request, const struct target *target)
{
    char *path = request->head.data + request->head.length;
    if (!path_decode(target->path, target->path_length, path, &request->path_length)) {
        request_refuse(request, 400, "The path is malformed or leads above the root.");
        return false;
    }
    request->path = path;
    request->query = target->query;
    return true;
}

static bool is_host(const struct request *request, struct slice name)
{
    return name.length == 4 && strncasecmp(request_text(request, name), "host", 4) == 0;
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
        if (is_host(request, parse->fields[i].name))
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

/* True: its path is to be looked for. */
static bool accept_target(struct request *request)
{
    const struct parse *parse = &request->parse;
    struct target target;
    switch (target_split(request_text(request, parse->target), parse->target.length, &target)) {
    case TARGET_ORIGIN:
        return accept_path(request, &target);
    case TARGET_ABSOLUTE:
        return accept_absolute(request, &target) && accept_path(request, &target);
    case TARGET_ASTERISK:
        accept_asterisk(request);
        break;
    case TARGET_BAD:
        request_refuse(request, 400, "The request target is malformed.");
        break;
    }
    return false;
}

/* Likewise. Not inlined: most requests are a GET of a plain path. */
static __attribute__((noinline)) bool accept_other(struct request *request)
{
    bool routed = false;
    request->headless = request_is(request, "HEAD");
    if (request->parse.unmet)
        request_refuse(request, 417, "The only expectation known here is 100-continue.");
    else if (request_is(request, "GET") || is_method(request))
        routed = accept_target(request);
    else
        request_refuse(request, 501, "The method is not known here.");
    /* Behind a CONNECT there may come a tunnel's bytes already: they are no requests. */
    if (request->refused == 400 || request_is(request, "CONNECT"))
        request->close = true;
    return routed;
}

bool request_accept(struct request *request, const char *head, size_t length)
{
    const struct parse *parse = &request->parse;
    if (!copy_head(request, head, length))
        return false;
    request->close = parse->close || (parse->minor == 0 && !parse->keep_alive);
    request->chunked = parse->chunked;
    request->body_left = parse->content_length;
    if (parse->plain && !parse->unmet && request_is(request, "GET")) {
        request->path = request_text(request, parse->target);
        request->path_length = parse->target.length;
    } else if (!accept_other(request)) {
        return true;
    }
    accept_route(request);
    return true;
}
