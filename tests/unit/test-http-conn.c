/* The whole http module over a stand-in for the engine: bytes in, bytes out, whole and split. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../modules/http/conn.h"
#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HEAD_200 "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
#define HELLO HEAD_200 "Content-Length: 6\r\n\r\nhello\n"
#define HELLO_CLOSE HEAD_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n"

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

#define BIG 100000
static char big_body[BIG];

static int big(reeve_request *request, void *config)
{
    (void)config;
    reeve_header(request, "user-agent"); /* if it stands twice it is put together, and kept */
    memset(big_body, 'b', sizeof big_body);
    return reeve_reply(request, 200, "text/plain", big_body, BIG);
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

static void set_up(void)
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

static void tear_down(void)
{
    unlink(file_name);
    strcpy(file_name + strlen(file_name) - 6, "XXXXXX");
    own_site_close();
}

/* ---------------------------------------------------------------- driving ----------- */

static void feed(reeve_conn *conn, const char *text)
{
    fake_feed(conn, text, strlen(text));
}

static void check_output(reeve_conn *conn, const char *wanted)
{
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    ck_assert_int_eq(fake_busy(conn), 0);
}

/* The answer to `input`, however it is split, is `wanted`. */
static void expect(const char *input, const char *wanted)
{
    size_t length = strlen(input);
    for (size_t split = 0; split <= length; split++) {
        reeve_conn *conn = own_site_connect();
        fake_feed(conn, input, split);
        fake_feed(conn, input + split, length - split);
        check_output(conn, wanted);
        fake_close(&conn);
    }
    reeve_conn *conn = own_site_connect();
    for (size_t i = 0; i < length; i++)
        fake_feed(conn, input + i, 1);
    check_output(conn, wanted);
    fake_close(&conn);
}

/* The same for an error page: its status, and whether the connection ends. */
static void expect_page(const char *input, const char *status, bool closed)
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

/* ---------------------------------------------------------------- answers ----------- */

START_TEST(test_get)
{
    expect("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    expect("GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    expect("\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n\r\n", HELLO);
    expect("GET http://a/hello HTTP/1.1\r\nHost: b\r\n\r\n", HELLO);
}
END_TEST

START_TEST(rfc9110_9_3_2_head)
{
    expect("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
           HEAD_200 "Content-Length: 6\r\n\r\n" HELLO);
    expect("HEAD /b/big HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_200 "Content-Length: 100000\r\n\r\n");
    expect("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_200 "Content-Length: 6\r\n\r\n");
    reeve_conn *conn = own_site_connect();
    feed(conn, "HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *output = fake_output(conn, NULL);
    ck_assert_str_eq(output + strlen(output) - 4, "\r\n\r\n");
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9112_9_3_persistence)
{
    expect("GET /hello HTTP/1.0\r\n\r\n", HELLO_CLOSE);
    expect("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
           HEAD_200 "Content-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n");
    expect("GET /hello HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", HELLO_CLOSE);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
           "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
           HELLO_CLOSE);
    expect("GET /hello HTTP/1.9\r\nHost: a\r\n\r\n", HELLO);
}
END_TEST

START_TEST(rfc9112_9_3_2_pipelining)
{
    static const char input[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                                "GET /b/show?1 HTTP/1.1\r\nHost: a\r\n\r\n"
                                "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static const char output[] = HELLO HEAD_200
        "Content-Length: 43\r\n\r\nGET|/b/show?1|/b/show|/|1|(none)|192.0.2.1|" HELLO_CLOSE;
    expect(input, output);
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = own_site_connect();
    feed(conn, input);
    ck_assert_str_eq(fake_output(conn, NULL), HELLO);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert_int_eq(fake_busy(conn), 1);
    ck_assert_int_eq(fake_deadline(conn), 0);
    fake_run_jobs(conn, true);
    check_output(conn, output);
    ck_assert_int_eq(fake_requests(conn), 3);
    fake_close(&conn);
}
END_TEST

/* The last request of a connection: what comes behind it is not answered, and the client may read
 * that in peace. */
START_TEST(rfc9112_9_6_last_request)
{
    static const char request[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    settings.keepalive_requests = 2;
    reeve_conn *conn = own_site_connect();
    feed(conn, request);
    ck_assert(!fake_lingers(conn));
    feed(conn, request);
    feed(conn, request);
    check_output(conn, HELLO HELLO_CLOSE);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    ck_assert(fake_lingers(conn));
    fake_close(&conn);
    conn = own_site_connect();
    feed(conn, "GET /none HTTP/1.1\r\nHost: a\r\n\r\nGET /b/hello HTTP/1.0\r\n"
               "Connection: keep-alive\r\n\r\n");
    const char *output = fake_output(conn, NULL);
    ck_assert_str_eq(output + strlen(output) - strlen(HELLO_CLOSE), HELLO_CLOSE);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    fake_close(&conn);
}
END_TEST

/* The authority of the target replaces Host, for handlers too. */
START_TEST(rfc9112_3_2_2_absolute_form)
{
    expect("GET http://b:81/host HTTP/1.1\r\nX: y\r\nhost: a\r\n\r\n",
           HEAD_200 "Content-Length: 4\r\n\r\nb:81");
    expect("GET http://b/host HTTP/1.1\r\nHost:\r\n\r\n",
           HEAD_200 "Content-Length: 1\r\n\r\nb");
    expect("GET /host HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_200 "Content-Length: 1\r\n\r\na");
    expect("GET http://b/host HTTP/1.0\r\n\r\n",
           HEAD_200 "Content-Length: 4\r\nConnection: close\r\n\r\nnone");
}
END_TEST

/* RFC 9110, 4.2.3: only with OPTIONS a missing path is not "/". */
START_TEST(rfc9112_3_2_4_asterisk_form)
{
    static const char allow[] = "HTTP/1.1 204 No Content\r\n" DATE
                                "Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n\r\n";
    expect("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", allow);
    expect("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", allow);
    expect_page("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "404", false);
    expect_page("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "404", false);
}
END_TEST

/* A HEAD that is refused has no body either, as far as one knows that it was one. */
START_TEST(rfc9110_9_3_2_refused_head)
{
    static const char *const inputs[] = {
        "HEAD /hello HTTP/1.1\r\n\r\n", "HEAD /hello HTTP/1.1\r\nHost: a\r\nX y\r\n\r\n",
        "HEAD /hello HTTP/3.0\r\n", "HEAD * HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        reeve_conn *conn = own_site_connect();
        feed(conn, inputs[i]);
        const char *output = fake_output(conn, NULL);
        ck_assert_ptr_nonnull(strstr(output, "Connection: close\r\n"));
        ck_assert_ptr_eq(strstr(output, "\r\n\r\n"), output + strlen(output) - 4);
        fake_close(&conn);
    }
    reeve_conn *conn = own_site_connect();
    feed(conn, "HEAD /hello HTTP/1.1\r\nHost: a\r\n");
    fake_expire(conn);
    const char *output = fake_output(conn, NULL);
    ck_assert_ptr_nonnull(strstr(output, " 408 "));
    ck_assert_ptr_eq(strstr(output, "\r\n\r\n"), output + strlen(output) - 4);
    fake_close(&conn);
}
END_TEST

/* Small answers of a pipeline leave together; a congested output stops the step. */
START_TEST(test_one_send)
{
    char input[8192] = "";
    for (int i = 0; i < 50; i++)
        strcat(input, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    reeve_conn *conn = own_site_connect();
    feed(conn, input);
    ck_assert_int_eq(fake_flushes(conn), 1);
    ck_assert_int_eq(fake_requests(conn), 50);
    fake_close(&conn);
    fake_high_water = 1000;
    conn = own_site_connect();
    feed(conn, input);
    ck_assert_int_ge(fake_flushes(conn), 5);
    ck_assert_int_eq(fake_requests(conn), 50);
    fake_close(&conn);
}
END_TEST

START_TEST(test_show)
{
    expect("GET http://x/show/a%20b/./c?q=%41 HTTP/1.1\r\nHost: a\r\nX-TEST:  v \r\n\r\n",
           HEAD_200 "Content-Length: 71\r\n\r\nGET|http://x/show/a%20b/./c?q=%41|/show/a b/c|"
                    "/a b/c|q=%41|v|192.0.2.1|");
}
END_TEST

START_TEST(test_large_answers)
{
    for (int blocking = 0; blocking <= 1; blocking++) {
        reeve_conn *conn = own_site_connect();
        feed(conn, blocking ? "GET /b/big HTTP/1.1\r\nHost: a\r\n\r\n"
                            : "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        size_t length;
        const char *output = fake_output(conn, &length);
        static const char head[] = HEAD_200 "Content-Length: 100000\r\n\r\n";
        ck_assert_uint_eq(length, sizeof head - 1 + BIG);
        ck_assert_int_eq(memcmp(output, head, sizeof head - 1), 0);
        ck_assert_int_eq(memcmp(output + sizeof head - 1, big_body, BIG), 0);
        fake_close(&conn);
    }
}
END_TEST

START_TEST(test_file)
{
    expect("GET /file HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    expect("GET /b/file HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
}
END_TEST

START_TEST(test_fields)
{
    expect("GET /fields HTTP/1.1\r\nHost: a\r\n\r\n",
           "HTTP/1.1 204 No Content\r\n" DATE "X-One: 1\r\nX-Two: a\tb\r\n\r\n");
}
END_TEST

START_TEST(test_server_header)
{
    settings.server_header = true;
    expect("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
           "HTTP/1.1 200 OK\r\n" DATE "Server: reeve\r\nContent-Type: text/plain\r\n"
           "Content-Length: 6\r\n\r\nhello\n");
}
END_TEST

/* ---------------------------------------------------------------- errors ------------ */

static const struct {
    const char *input, *status;
    bool closed;
} errors[] = {
    {"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "404", false},
    {"GET /helloo HTTP/1.1\r\nHost: a\r\n\r\n", "404", false},
    {"GET /none HTTP/1.0\r\n\r\n", "404", true},
    {"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "404", false},
    {"GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "400", true},
    {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400", true},
    {"GET hello HTTP/1.1\r\nHost: a\r\n\r\n", "400", true},
    {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400", true},
    {"GET /hello HTTP/1.1\r\nHost: a:b\r\n\r\n", "400", true},
    {"GET /hello HTTP/1.1\r\n\r\n", "400", true},
    {"GET /hello HTTP/1.1\nHost: a\n\n", "400", true},
    {"\x16\x03\x01", "400", true},
    {"\rX", "400", true},
    {"get /hello HTTP/1.1\r\nHost: a\r\n\r\n", "501", false},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "501", true},
    {"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", "505", true},
    {"GET /hello HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", "417", false},
    {"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: x\r\n\r\n", "417",
     true},
    {"GET http://a:b/hello HTTP/1.1\r\nHost: a\r\n\r\n", "400", true},
    {"GET https://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", "421", false},
    {"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400", true},
    {"GET /0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
     "8901234567890123456789", "414", true},
    {"GET / HTTP/1.1\r\nHost: a\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\n", "431", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\n", "413", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", "413",
     true},
    {"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\n", "404", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n15\r\na", "413", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "fffffffffffffff\r\na", "413", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "a\r\n0123456789\r\nb\r\n0", "413", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", "400", true},
    {"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx", "400", true},
    {"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n", "500", false},
    {"GET /minus HTTP/1.1\r\nHost: a\r\n\r\n", "500", false},
    {"GET /b/silent HTTP/1.1\r\nHost: a\r\n\r\n", "500", false},
};

START_TEST(rfc9110_15_errors)
{
    expect_page(errors[_i].input, errors[_i].status, errors[_i].closed);
}
END_TEST

START_TEST(test_failed_handler_is_logged)
{
    reeve_conn *conn = own_site_connect();
    feed(conn, "GET /silent/x HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_ptr_null(strstr(fake_output(conn, NULL), "X-Lost"));
    ck_assert_ptr_nonnull(strstr(fake_log, "0 handler-failed: handler "));
    ck_assert_ptr_nonnull(strstr(fake_log, " of route /silent in site default returned 0 without "
                                           "an answer to GET /silent/x"));
    fake_close(&conn);
    expect("GET /twice HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    ck_assert_ptr_nonnull(strstr(fake_log, "returned -1 after an answer"));
}
END_TEST

START_TEST(test_queue_full)
{
    fake_pool = FAKE_FULL;
    reeve_conn *conn = own_site_connect();
    feed(conn, "GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *output = fake_output(conn, NULL);
    ck_assert_int_eq(strncmp(output, "HTTP/1.1 503 ", 13), 0);
    ck_assert_ptr_nonnull(strstr(output, "Retry-After: 1\r\n"));
    ck_assert_str_eq(output + strlen(output) - strlen(HELLO), HELLO);
    fake_close(&conn);
}
END_TEST

/* Whatever cannot be queued ends the connection, and nothing leaks (the sanitizer tells). */
START_TEST(test_short_memory)
{
    static const char *const inputs[] = {
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",  "GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",    "GET /b/big HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /file HTTP/1.1\r\nHost: a\r\n\r\n",   "GET /b/file HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (unsigned memory = 0;; memory++) {
            fake_memory_left = memory;
            reeve_conn *conn = own_site_connect();
            feed(conn, inputs[i]);
            reeve_verdict verdict = fake_verdict(conn);
            fake_close(&conn);
            if (verdict == REEVE_WANT_READ)
                break;
            ck_assert_int_eq(verdict, REEVE_ERROR);
            ck_assert_uint_lt(memory, 5);
        }
}
END_TEST

/* ---------------------------------------------------------------- bodies ------------ */

START_TEST(rfc9112_6_3_bodies)
{
    static const char output[] =
        HEAD_200 "Content-Length: 47\r\n\r\nPOST|/show|/show|/||(none)|192.0.2.1|0123456789" HELLO;
    expect("POST /show HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"
           "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", output);
    expect("POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           "4;x\r\n0123\r\n06\r\n456789\r\n0\r\nX: y\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
           output);
    expect("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: "
           "20\r\n\r\n01234567890123456789", HELLO);
    expect("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", HELLO);
}
END_TEST

START_TEST(test_blocking_body)
{
    expect("POST /b/show HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
           HEAD_200 "Content-Length: 44\r\n\r\nPOST|/b/show|/b/show|/||(none)|192.0.2.1|abc");
}
END_TEST

START_TEST(rfc9110_10_1_1_expect)
{
    static const char head[] = "POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                               "Content-Length: 3\r\n\r\n";
    reeve_conn *conn = own_site_connect();
    feed(conn, head);
    ck_assert_str_eq(fake_output(conn, NULL), "HTTP/1.1 100 Continue\r\n\r\n");
    feed(conn, "abc");
    check_output(conn, "HTTP/1.1 100 Continue\r\n\r\n" HELLO);
    fake_close(&conn);

    conn = own_site_connect(); /* the body is on its way already */
    char all[256];
    snprintf(all, sizeof all, "%sabc", head);
    feed(conn, all);
    check_output(conn, HELLO);
    fake_close(&conn);

    /* never to a request without body, nor to HTTP/1.0, which knows no 1xx */
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", HELLO);
    expect("POST /hello HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
           HELLO_CLOSE);
    expect_page("POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                "Content-Length: 3\r\n\r\n",
                "404", true);
    expect_page("POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 33\r\n"
                "\r\n", "413", true);
}
END_TEST

/* conn_become() is checked here; every other test of the module rests on it. */
START_TEST(state_moves_as_the_table_says)
{
    struct http_conn c = {.state = CONN_IDLE};

    conn_become(&c, CONN_HEAD);
    conn_become(&c, CONN_JOB);
    conn_become(&c, CONN_PROVEN);
    ck_assert_int_eq(c.state, CONN_PROVEN);
}
END_TEST

START_TEST(no_other_move_is_made)
{
    struct http_conn c = {.state = CONN_CLOSING};

    conn_become(&c, CONN_IDLE);
}
END_TEST

UNIT_MAIN_AROUND("http-conn", set_up, tear_down, ONCE(test_get), ONCE(rfc9110_9_3_2_head),
                 ONCE(rfc9110_9_3_2_refused_head), ONCE(rfc9112_3_2_2_absolute_form),
                 ONCE(rfc9112_3_2_4_asterisk_form), ONCE(rfc9112_9_3_persistence),
                 ONCE(rfc9112_9_3_2_pipelining), ONCE(rfc9112_9_6_last_request),
                 ONCE(test_one_send), ONCE(test_show),
                 ONCE(test_large_answers), ONCE(test_file), ONCE(test_fields),
                 ONCE(test_server_header), EACH(rfc9110_15_errors, errors),
                 ONCE(test_failed_handler_is_logged), ONCE(test_queue_full),
                 ONCE(test_short_memory), ONCE(rfc9112_6_3_bodies), ONCE(test_blocking_body),
                 ONCE(rfc9110_10_1_1_expect), ONCE(state_moves_as_the_table_says),
                 RAISES(no_other_move_is_made, SIGABRT))
