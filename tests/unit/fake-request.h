/* A request in place of http's, for the tests of small handlers. One thread. Set method, path,
 * prefix and query, call handle() with &asked.public, look at the rest. */
#ifndef TESTS_FAKE_REQUEST_H
#define TESTS_FAKE_REQUEST_H
#include <stdio.h>
#include <string.h>

#include "reeve/http.h"
#include "unit.h"

static struct {
    struct reeve_request public; /* first */
    const char *path, *query;
    size_t prefix;     /* length of the route's prefix */
    int status;
    bool page;         /* the standard page of that status */
    char type[128];
    char fields[4096]; /* "Name: value\n" each */
    char body[4096];
} asked;

static inline const char *asked_rest(const reeve_request *r)
{
    (void)r;
    return asked.path[asked.prefix] != '\0' ? asked.path + asked.prefix : "/";
}

static inline const char *asked_query(const reeve_request *r)
{
    return (void)r, asked.query;
}

static inline int asked_set_header(reeve_request *r, const char *name, const char *value)
{
    (void)r;
    size_t end = strlen(asked.fields);
    ck_assert_ptr_null(strpbrk(value, "\r\n"));
    snprintf(asked.fields + end, sizeof asked.fields - end, "%s: %s\n", name, value);
    return 0;
}

static inline int asked_reply(reeve_request *r, int status, const char *type, const void *body,
                              size_t length)
{
    (void)r;
    ck_assert_int_eq(asked.status, 0);
    ck_assert_uint_lt(length, sizeof asked.body);
    asked.status = status;
    snprintf(asked.type, sizeof asked.type, "%s", type != NULL ? type : "");
    if (length > 0)
        memcpy(asked.body, body, length);
    asked.body[length] = '\0';
    return 0;
}

static inline int asked_reply_status(reeve_request *r, int status)
{
    asked.page = true;
    return asked_reply(r, status, NULL, NULL, 0);
}

static const struct reeve_http_api asked_api = {
    .rest = asked_rest, .query = asked_query, .set_header = asked_set_header,
    .reply = asked_reply, .reply_status = asked_reply_status,
};

/* A fresh request for `path` in a route whose prefix has `prefix` bytes. */
static inline reeve_request *ask(const char *path, size_t prefix, const char *query)
{
    memset(&asked, 0, sizeof asked);
    asked.public.api = &asked_api;
    asked.path = path;
    asked.prefix = prefix;
    asked.query = query;
    return &asked.public;
}
#endif
