/* The whole http module over a stand-in for the engine: requests without a body, and their
 * answers. */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "../../modules/http/conn.h"
#include "../../modules/http/settings.h"
#include "site.h"
#include "unit.h"

START_TEST(test_get)
{
    site_expect("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    site_expect("GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    site_expect("\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n\r\n", HELLO);
    site_expect("GET http://a/hello HTTP/1.1\r\nHost: b\r\n\r\n", HELLO);
}
END_TEST

START_TEST(rfc9110_9_3_2_head)
{
    site_expect("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
                HEAD_200 "Content-Length: 6\r\n\r\n" HELLO);
    site_expect("HEAD /b/big HTTP/1.1\r\nHost: a\r\n\r\n",
                HEAD_200 "Content-Length: 100000\r\n\r\n");
    site_expect("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_200 "Content-Length: 6\r\n\r\n");
    reeve_conn *conn = own_site_connect();
    site_feed(conn, "HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *output = fake_output(conn, NULL);
    ck_assert_str_eq(output + strlen(output) - 4, "\r\n\r\n");
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9112_9_3_persistence)
{
    site_expect("GET /hello HTTP/1.0\r\n\r\n", HELLO_CLOSE);
    site_expect("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                HEAD_200 "Content-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n");
    site_expect("GET /hello HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", HELLO_CLOSE);
    site_expect("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
                HELLO_CLOSE);
    site_expect("GET /hello HTTP/1.9\r\nHost: a\r\n\r\n", HELLO);
}
END_TEST

START_TEST(rfc9112_9_3_2_pipelining)
{
    static const char input[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                                "GET /b/show?1 HTTP/1.1\r\nHost: a\r\n\r\n"
                                "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static const char output[] = HELLO HEAD_200
        "Content-Length: 43\r\n\r\nGET|/b/show?1|/b/show|/|1|(none)|192.0.2.1|" HELLO_CLOSE;
    site_expect(input, output);
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = own_site_connect();
    site_feed(conn, input);
    ck_assert_str_eq(fake_output(conn, NULL), HELLO);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert_int_eq(fake_busy(conn), 1);
    ck_assert_int_eq(fake_deadline(conn), 0);
    fake_run_jobs(conn, true);
    site_check(conn, output);
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
    site_feed(conn, request);
    ck_assert(!fake_lingers(conn));
    site_feed(conn, request);
    site_feed(conn, request);
    site_check(conn, HELLO HELLO_CLOSE);
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    ck_assert(fake_lingers(conn));
    fake_close(&conn);
    conn = own_site_connect();
    site_feed(conn, "GET /none HTTP/1.1\r\nHost: a\r\n\r\nGET /b/hello HTTP/1.0\r\n"
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
    site_expect("GET http://b:81/host HTTP/1.1\r\nX: y\r\nhost: a\r\n\r\n",
                HEAD_200 "Content-Length: 4\r\n\r\nb:81");
    site_expect("GET http://b/host HTTP/1.1\r\nHost:\r\n\r\n",
                HEAD_200 "Content-Length: 1\r\n\r\nb");
    site_expect("GET /host HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_200 "Content-Length: 1\r\n\r\na");
    site_expect("GET http://b/host HTTP/1.0\r\n\r\n",
                HEAD_200 "Content-Length: 4\r\nConnection: close\r\n\r\nnone");
}
END_TEST

/* RFC 9110, 4.2.3: only with OPTIONS a missing path is not "/". */
START_TEST(rfc9112_3_2_4_asterisk_form)
{
    static const char allow[] = "HTTP/1.1 204 No Content\r\n" DATE
                                "Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n\r\n";
    site_expect("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", allow);
    site_expect("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", allow);
    site_expect_page("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "404", false);
    site_expect_page("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "404", false);
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
        site_feed(conn, inputs[i]);
        const char *output = fake_output(conn, NULL);
        ck_assert_ptr_nonnull(strstr(output, "Connection: close\r\n"));
        ck_assert_ptr_eq(strstr(output, "\r\n\r\n"), output + strlen(output) - 4);
        fake_close(&conn);
    }
    reeve_conn *conn = own_site_connect();
    site_feed(conn, "HEAD /hello HTTP/1.1\r\nHost: a\r\n");
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
    site_feed(conn, input);
    ck_assert_int_eq(fake_flushes(conn), 1);
    ck_assert_int_eq(fake_requests(conn), 50);
    fake_close(&conn);
    fake_high_water = 1000;
    conn = own_site_connect();
    site_feed(conn, input);
    ck_assert_int_ge(fake_flushes(conn), 5);
    ck_assert_int_eq(fake_requests(conn), 50);
    fake_close(&conn);
}
END_TEST

START_TEST(test_show)
{
    site_expect("GET http://x/show/a%20b/./c?q=%41 HTTP/1.1\r\nHost: a\r\nX-TEST:  v \r\n\r\n",
                HEAD_200 "Content-Length: 71\r\n\r\nGET|http://x/show/a%20b/./c?q=%41|/show/a b/c|"
                         "/a b/c|q=%41|v|192.0.2.1|");
}
END_TEST

START_TEST(test_large_answers)
{
    for (int blocking = 0; blocking <= 1; blocking++) {
        reeve_conn *conn = own_site_connect();
        site_feed(conn, blocking ? "GET /b/big HTTP/1.1\r\nHost: a\r\n\r\n"
                                 : "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        size_t length;
        const char *output = fake_output(conn, &length);
        static const char head[] = HEAD_200 "Content-Length: 100000\r\n\r\n";
        ck_assert_uint_eq(length, sizeof head - 1 + SITE_BIG);
        ck_assert_int_eq(memcmp(output, head, sizeof head - 1), 0);
        ck_assert_int_eq(memcmp(output + sizeof head - 1, site_big, SITE_BIG), 0);
        fake_close(&conn);
    }
}
END_TEST

START_TEST(test_file)
{
    site_expect("GET /file HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    site_expect("GET /b/file HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
}
END_TEST

START_TEST(test_fields)
{
    site_expect("GET /fields HTTP/1.1\r\nHost: a\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n" DATE "X-One: 1\r\nX-Two: a\tb\r\n\r\n");
}
END_TEST

START_TEST(test_server_header)
{
    settings.server_header = true;
    site_expect("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
                "HTTP/1.1 200 OK\r\n" DATE "Server: reeve\r\nContent-Type: text/plain\r\n"
                "Content-Length: 6\r\n\r\nhello\n");
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

UNIT_MAIN_AROUND("http-conn", site_open, site_close, ONCE(test_get),
                 ONCE(rfc9110_9_3_2_head), ONCE(rfc9110_9_3_2_refused_head),
                 ONCE(rfc9112_3_2_2_absolute_form), ONCE(rfc9112_3_2_4_asterisk_form),
                 ONCE(rfc9112_9_3_persistence), ONCE(rfc9112_9_3_2_pipelining),
                 ONCE(rfc9112_9_6_last_request), ONCE(test_one_send), ONCE(test_show),
                 ONCE(test_large_answers), ONCE(test_file), ONCE(test_fields),
                 ONCE(test_server_header), ONCE(state_moves_as_the_table_says),
                 RAISES(no_other_move_is_made, SIGABRT))
