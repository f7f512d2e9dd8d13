/* A site with a handler for each way to answer; see site.h. One thread. */
#include "config.h"

#include "site.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "own-site.h"
#include "unit.h"

/* ---------------------------------------------------------------- handlers ---------- */

static int hello(reeve_request *request, void *config)
{
    (void)config;
    return reeve_reply(request, 200, "text/plain", "hello\n", 6);
}

/* All that a handler can see. */
static int show(reeve_request *request, void *config)
{
    (void)config;
    char text[4096];
    size_t length;
    const char *body = reeve_body(request, &length), *x = reeve_header(request, "x-test");
    int n = snprintf(text, sizeof text, "%s|%s|%s|%s|%s|%s|%s|%.*s", reeve_method(request),
                     reeve_target(request), reeve_path(request), reeve_rest(request),
                     reeve_query(request), x != NULL ? x : "(none)", reeve_request_peer(request),
                     (int)length, body);
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

static int host(reeve_request *request, void *config)
{
    (void)config;
    const char *value = reeve_header(request, "host");
    if (value == NULL)
        value = "none";
    return reeve_reply(request, 200, "text/plain", value, strlen(value));
}

static int silent(reeve_request *request, void *config)
{
    reeve_set_header(request, "X-Lost", "1");
    return config != NULL ? -1 : 0;
}

static int twice(reeve_request *request, void *config)
{
    (void)config;
    ck_assert_int_eq(reeve_reply(request, 200, "text/plain", "hello\n", 6), 0);
    ck_assert_int_eq(reeve_set_header(request, "X", "late"), -1);
    return reeve_reply_status(request, 500);
}

static int fields(reeve_request *request, void *config)
{
    (void)config;
    ck_assert_int_eq(reeve_set_header(request, "X-One", "1"), 0);
    ck_assert_int_eq(reeve_set_header(request, "X-Two", "a\tb"), 0);
    ck_assert_int_eq(reeve_set_header(request, "X-Bad", "a\r\nEvil: 1"), -1);
    ck_assert_int_eq(reeve_set_header(request, "X Bad", "a"), -1);
    ck_assert_int_eq(reeve_set_header(request, "", "a"), -1);
    ck_assert_int_eq(reeve_set_header(request, "content-LENGTH", "7"), -1);
    ck_assert_int_eq(reeve_reply(request, 99, NULL, "", 0), -1);
    ck_assert_int_eq(reeve_reply(request, 200, "a\r\nb", "", 0), -1);
    return reeve_reply(request, 204, NULL, NULL, 0);
}

char site_big[SITE_BIG];

static int big(reeve_request *request, void *config)
{
    (void)config;
    reeve_header(request, "user-agent"); /* if it stands twice it is put together, and kept */
    memset(site_big, 'b', sizeof site_big);
    return reeve_reply(request, 200, "text/plain", site_big, SITE_BIG);
}

static char file_name[] = "/tmp/test-http-conn-XXXXXX";

static int file(reeve_request *request, void *config)
{
    (void)config;
    int fd = open(file_name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return reeve_reply_file(request, 200, "text/plain", fd, 2, 6);
}

/* One site, "/NAME" for each of these; "/b/NAME" is the same as a blocking handler. */
static const struct {
    const char *name;
    int (*handle)(reeve_request *request, void *config);
    bool refuses;
} table[] = {
    {"hello", hello, false}, {"show", show, false},   {"silent", silent, false},
    {"minus", silent, true}, {"twice", twice, false}, {"fields", fields, false},
    {"big", big, false},     {"file", file, false},   {"host", host, false},
};
#define TABLE (sizeof table / sizeof *table)

static int configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = section->title != NULL ? (void *)section->title : NULL;
    return 0;
}

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 100},          {.name = "header_limit", .number = 300},
    {.name = "header_count", .number = 5},          {.name = "body_limit", .number = 20},
    {.name = "keepalive_timeout", .number = 15000}, {.name = "header_timeout", .number = 20000},
    {.name = "body_timeout", .number = 30000},      {.name = "body_rate", .number = 512},
    {.name = "access_log", .text = "log"},          {.name = NULL},
};

void site_open(void)
{
    static const reeve_section refusing = {.title = "refuses"};
    static struct own_route routes[2 * TABLE];
    static char paths[2 * TABLE][32];
    for (size_t i = 0; i < 2 * TABLE; i++) {
        bool blocking = i >= TABLE;
        snprintf(paths[i], sizeof paths[i], "%s/%s", blocking ? "/b" : "", table[i % TABLE].name);
        routes[i] = (struct own_route){
            paths[i], {.protocol = "http", .blocking = blocking, .configure = configure,
                       .handle = table[i % TABLE].handle},
            table[i % TABLE].refuses ? &refusing : NULL};
    }
    own_site_open(routes, 2 * TABLE, values);
    int fd = mkstemp(file_name);
    ck_assert_int_eq(write(fd, "..hello\n..", 10), 10);
    close(fd);
}

void site_close(void)
{
    unlink(file_name);
    strcpy(file_name + strlen(file_name) - 6, "XXXXXX");
    own_site_close();
}

/* ---------------------------------------------------------------- driving ----------- */

void site_feed(reeve_conn *conn, const char *text)
{
    fake_feed(conn, text, strlen(text));
}

void site_check(reeve_conn *conn, const char *wanted)
{
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    ck_assert_int_eq(fake_busy(conn), 0);
}

void site_expect(const char *input, const char *wanted)
{
    size_t length = strlen(input);
    for (size_t split = 0; split <= length; split++) {
        reeve_conn *conn = own_site_connect();
        fake_feed(conn, input, split);
        fake_feed(conn, input + split, length - split);
        site_check(conn, wanted);
        fake_close(&conn);
    }
    reeve_conn *conn = own_site_connect();
    for (size_t i = 0; i < length; i++)
        fake_feed(conn, input + i, 1);
    site_check(conn, wanted);
    fake_close(&conn);
}

void site_expect_page(const char *input, const char *status, bool closed)
{
    size_t length = strlen(input);
    char first[4096] = "";
    for (size_t split = 0; split <= length + 1; split++) {
        reeve_conn *conn = own_site_connect();
        if (split <= length) {
            fake_feed(conn, input, split);
            fake_feed(conn, input + split, length - split);
        } else {
            for (size_t i = 0; i < length; i++)
                fake_feed(conn, input + i, 1);
        }
        const char *output = fake_output(conn, NULL);
        if (split == 0)
            snprintf(first, sizeof first, "%s", output);
        ck_assert_str_eq(output, first);
        ck_assert_msg(strncmp(output + 9, status, strlen(status)) == 0, "%s", output);
        ck_assert_int_eq(strstr(output, "Connection: close\r\n") != NULL, closed);
        ck_assert_int_eq(fake_verdict(conn), closed ? REEVE_CLOSE : REEVE_WANT_READ);
        ck_assert_int_eq(fake_busy(conn), 0);
        const char *body = strstr(output, "\r\n\r\n") + 4;
        const char *field = strstr(output, "Content-Length: ");
        ck_assert_uint_eq((size_t)atoi(field + 16), strlen(body));
        fake_close(&conn);
    }
}
