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

const char *asked_body(const struct reeve_request *public, size_t *length)
{
    const struct request *request = request_of(public);
    *length = request->body.length;
    return request->body.length > 0 ? request->body.data : "";
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

const char *asked_header(const struct reeve_request *public, const char *name)
{
    const struct request *request = request_of(public);
    size_t length = strlen(name);
    for (unsigned i = 0; i < request->parse.count; i++) {
        const struct parse_field *field = &request->parse.fields[i];
        if (field->name.length == length &&
            strcasecmp(request_text(request, field->name), name) == 0)
            return request_text(request, field->value);
    }
    return NULL;
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
