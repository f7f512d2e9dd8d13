/* What was asked: what a handler is told of its request.
 *
 * Any thread, the one that has the request. The texts lie in the request's copy of its head; what
 * must be put together first lies in the request's memory.
 */
#include "config.h"

#include <strings.h>

#include "asked.h"
#include "form.h"
#include "ident.h"

const char *asked_method(const struct reeve_request *public)
{
    return request_text(request_of(public), request_of(public)->parse.method);
}

const char *asked_target(const struct reeve_request *public)
{
    return request_text(request_of(public), request_of(public)->parse.target);
}

const char *asked_path(const struct reeve_request *public)
{
    return request_of(public)->path;
}

const char *asked_rest(const struct reeve_request *public)
{
    const struct request *request = request_of(public);
    return request->path_length > request->route->length ? request->path + request->route->length
                                                         : "/";
}

const char *asked_query(const struct reeve_request *public)
{
    return request_of(public)->query;
}

bool asked_is_conditional(const struct reeve_request *public)
{
    return request_of(public)->parse.conditional;
}

const char *asked_body(const struct reeve_request *public, size_t *length)
{
    const struct request *request = request_of(public);
    *length = request->receiving ? 0 : request->body.length; /* a piece is not the body */
    return *length > 0 ? request->body.data : "";
}

const char *asked_peer(const struct reeve_request *public)
{
    return request_of(public)->peer;
}

const char *asked_user(const struct reeve_request *public)
{
    return request_of(public)->user;
}

const char *asked_id(struct reeve_request *public)
{
    return ident_of(request_of(public));
}

/* ---------------------------------------------------------------- fields ------------ */

/* A field that stands on several lines, put together; asked for again it is the same. */
struct request_joined {
    struct request_joined *next;
    unsigned first; /* its first line */
    char value[];
};

/* The next line of that name, from `at` on; the count of all lines if there is none. */
static unsigned next_line(const struct request *request, const char *name, size_t length,
                          unsigned at)
{
    const struct parse *parse = &request->parse;
    for (; at < parse->count; at++)
        if (parse->fields[at].name.length == length &&
            strncasecmp(request_text(request, parse->fields[at].name), name, length) == 0)
            break;
    return at;
}

/* RFC 9110, 5.3: in their order, with a comma between them; but cookies as in one line (RFC 6265,
 * 4.2.1). */
static const char *join(struct request *request, const char *name, size_t length, unsigned first)
{
    const struct parse *parse = &request->parse;
    const char *between = strcasecmp(name, "cookie") == 0 ? "; " : ", ";
    size_t room = sizeof(struct request_joined);
    for (unsigned i = first; i < parse->count; i = next_line(request, name, length, i + 1))
        room += parse->fields[i].value.length + 2;
    struct request_joined *joined = request_alloc(request, room);
    if (joined == NULL)
        return NULL;
    char *at = joined->value;
    for (unsigned i = first; i < parse->count; i = next_line(request, name, length, i + 1)) {
        if (i > first)
            at = stpcpy(at, between);
        at = stpcpy(at, request_text(request, parse->fields[i].value));
    }
    joined->first = first;
    joined->next = request->joined;
    request->joined = joined;
    return joined->value;
}

const char *asked_header(const struct reeve_request *public, const char *name)
{
    struct request *request = request_of(public);
    size_t length = strlen(name);
    if (length == 0 || (request->parse.names & parse_name_bit(name, length)) == 0)
        return NULL;
    unsigned count = request->parse.count, first = next_line(request, name, length, 0);
    if (first == count)
        return NULL;
    if (next_line(request, name, length, first + 1) == count)
        return request_text(request, request->parse.fields[first].value);
    for (const struct request_joined *joined = request->joined; joined != NULL;
         joined = joined->next)
        if (joined->first == first)
            return joined->value;
    return join(request, name, length, first);
}

/* ---------------------------------------------------------------- values ------------ */

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

const char *asked_query_value(struct reeve_request *public, const char *name)
{
    const char *query = asked_query(public);
    return value_in(request_of(public), query, strlen(query), name);
}

const char *asked_form_value(struct reeve_request *public, const char *name)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = asked_header(public, "content-type");
    size_t length;
    if (type == NULL || strncasecmp(type, form, sizeof form - 1) != 0 ||
        strchr("; \t", type[sizeof form - 1]) == NULL)
        return NULL;
    const char *body = asked_body(public, &length);
    return value_in(request_of(public), body, length, name);
}
