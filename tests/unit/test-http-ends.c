/* How long a connection waits for what, and how it ends: the whole http module over a stand-in for
 * the engine. */
#include "config.h"

#include <string.h>

#include "own-site.h"
#include "unit.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HEAD "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 6\r\n"
#define HELLO HEAD "\r\nhello\n"
#define HELLO_CLOSE HEAD "Connection: close\r\n\r\nhello\n"

static int hello(reeve_request *request, void *config)
{
    (void)config;
    return reeve_reply(request, 200, "text/plain", "hello\n", 6);
}

static const struct own_route routes[] = {
    {"/hello", {.protocol = "http", .handle = hello}, NULL},
    {"/b/hello", {.protocol = "http", .handle = hello, .blocking = true}, NULL},
};

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 100},          {.name = "header_limit", .number = 300},
    {.name = "header_count", .number = 5},          {.name = "body_limit", .number = 20},
    {.name = "keepalive_timeout", .number = 15000}, {.name = "header_timeout", .number = 20000},
    {.name = "body_timeout", .number = 30000},      {.name = "body_rate", .number = 512},
    {.name = NULL},
};

static void set_up(void)
{
    own_site_open(routes, sizeof routes / sizeof *routes, values);
}

static void feed(reeve_conn *conn, const char *text)
{
    fake_feed(conn, text, strlen(text));
}

static void check_output(reeve_conn *conn, const char *wanted)
{
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    ck_assert_int_eq(fake_busy(conn), 0);
}

START_TEST(deadlines)
{
    reeve_conn *conn = own_site_connect();
    ck_assert_int_eq(fake_deadline(conn), 15000);
    reeve_deadline(conn, 7); /* empty lines, whole or in pieces, do not prolong it either */
    feed(conn, "\r\n");
    feed(conn, "\r");
    feed(conn, "\n");
    ck_assert_int_eq(fake_deadline(conn), 7);
    feed(conn, "GET /hello");
    ck_assert_int_eq(fake_deadline(conn), 20000);
    reeve_deadline(conn, 7); /* further bytes do not prolong it */
    feed(conn, " HTTP/1.1\r\n");
    ck_assert_int_eq(fake_deadline(conn), 7);
    feed(conn, "Host: a\r\n\r\n");
    ck_assert_int_eq(fake_deadline(conn), 15000);
    feed(conn, "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
    ck_assert_int_eq(fake_deadline(conn), 30000);
    fake_seconds += 10; /* see test-http-receive.c for more of it */
    feed(conn, "b");
    ck_assert_int_eq(fake_deadline(conn), 20001);
    fake_seconds -= 10;
    feed(conn, "c");
    ck_assert_int_eq(fake_deadline(conn), 15000);
    fake_expire(conn);
    check_output(conn, HELLO HELLO);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    fake_close(&conn);
}
END_TEST

START_TEST(late_requests)
{
    static const char *const inputs[] = {
        "G", "GET /hello HTTP/1.1\r\nHost: a\r\n",
        "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"};
    for (size_t i = 0; i < 3; i++) {
        reeve_conn *conn = own_site_connect();
        feed(conn, inputs[i]);
        fake_expire(conn);
        ck_assert_int_eq(strncmp(fake_output(conn, NULL), "HTTP/1.1 408 ", 13), 0);
        ck_assert_ptr_nonnull(strstr(fake_output(conn, NULL), "Connection: close\r\n"));
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        ck_assert_int_eq(fake_busy(conn), 0);
        fake_close(&conn);
    }
}
END_TEST

START_TEST(rfc9112_8_incomplete)
{
    static const char *const inputs[] = {
        "", "\r", "GET /hel", "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"};
    for (size_t i = 0; i < 5; i++) {
        reeve_conn *conn = own_site_connect();
        feed(conn, inputs[i]);
        fake_end(conn);
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        ck_assert_str_eq(fake_output(conn, NULL), i == 4 ? HELLO : "");
        fake_close(&conn);
    }
}
END_TEST

START_TEST(connection_lost_in_a_job)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = own_site_connect();
    feed(conn, "GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    fake_close(&conn); /* skips the job; a leak would show */
}
END_TEST

START_TEST(drain)
{
    reeve_conn *conn = own_site_connect();
    fake_draining = true; /* the drain hook comes to an idle connection only later */
    feed(conn, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    check_output(conn, HELLO_CLOSE);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    fake_close(&conn);

    fake_draining = false;
    conn = own_site_connect();
    fake_drain(conn);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    fake_close(&conn);

    fake_draining = false;
    conn = own_site_connect();
    feed(conn, "GET /hello HTTP/1.1\r\n");
    fake_drain(conn);
    ck_assert_int_eq(fake_deadline(conn), 20000);
    feed(conn, "Host: a\r\n\r\n");
    check_output(conn, HELLO_CLOSE);
    fake_close(&conn);

    fake_draining = false;
    fake_pool = FAKE_DEFERRED;
    conn = own_site_connect();
    feed(conn, "GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n");
    fake_drain(conn);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    fake_run_jobs(conn, true);
    check_output(conn, HELLO_CLOSE);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    fake_close(&conn);
}
END_TEST

extern const reeve_module reeve_module_descriptor;

/* What a worker does that takes a connection over. */
static reeve_conn *arrive(const void *parcel, size_t length)
{
    static reeve_protocol bare;
    bare = *reeve_module_descriptor.protocol;
    bare.open = NULL;
    reeve_conn *conn = fake_open(&bare);
    ck_assert_int_eq(bare.unpack(conn, parcel, length), REEVE_WANT_READ);
    return conn;
}

START_TEST(moves_between_requests_only)
{
    const reeve_protocol *http = reeve_module_descriptor.protocol;
    unsigned char parcel[REEVE_PARCEL];
    reeve_conn *conn = own_site_connect();
    ck_assert_int_gt(http->pack(conn, parcel), 0);
    feed(conn, "GET /hello HTTP/1.1\r\n");
    ck_assert_int_eq(http->pack(conn, parcel), -1);
    feed(conn, "Host: a\r\n\r\n");
    ck_assert_int_gt(http->pack(conn, parcel), 0);
    fake_close(&conn);
}
END_TEST

START_TEST(moves_with_what_is_left_of_its_time)
{
    const reeve_protocol *http = reeve_module_descriptor.protocol;
    unsigned char parcel[REEVE_PARCEL];
    reeve_conn *conn = own_site_connect();
    feed(conn, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    fake_seconds += 5;
    int length = http->pack(conn, parcel);
    fake_close(&conn);
    conn = arrive(parcel, (size_t)length);
    ck_assert_int_eq(fake_deadline(conn), 10000);
    length = http->pack(conn, parcel); /* and on to a third */
    fake_close(&conn);
    conn = arrive(parcel, (size_t)length);
    ck_assert_int_eq(fake_deadline(conn), 10000);
    feed(conn, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_int_eq(fake_deadline(conn), 15000);
    fake_close(&conn);
    fake_seconds += 60;
    conn = arrive(parcel, (size_t)length);
    ck_assert_int_eq(fake_deadline(conn), 1);
    fake_close(&conn);
}
END_TEST

START_TEST(a_parcel_that_makes_no_sense_is_a_new_connection)
{
    static const unsigned char junk[REEVE_PARCEL] = {0xff, 0xff, 0xff, 0xff, 0xff};
    for (size_t length = 0; length <= sizeof junk; length++) {
        reeve_conn *conn = arrive(junk, length);
        ck_assert_int_eq(fake_deadline(conn), 15000);
        feed(conn, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        fake_close(&conn);
    }
}
END_TEST

UNIT_MAIN_AROUND("http-ends", set_up, own_site_close, ONCE(deadlines), ONCE(late_requests),
                 ONCE(rfc9112_8_incomplete), ONCE(connection_lost_in_a_job), ONCE(drain),
                 ONCE(moves_between_requests_only), ONCE(moves_with_what_is_left_of_its_time),
                 ONCE(a_parcel_that_makes_no_sense_is_a_new_connection))
