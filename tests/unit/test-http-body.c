/* The whole http module over a stand-in for the engine: requests with a body. */
#include "config.h"

#include <stdio.h>

#include "site.h"
#include "unit.h"

START_TEST(rfc9112_6_3_bodies)
{
    static const char output[] =
        HEAD_200 "Content-Length: 47\r\n\r\nPOST|/show|/show|/||(none)|192.0.2.1|0123456789" HELLO;
    site_expect("POST /show HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"
                "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", output);
    site_expect("POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "4;x\r\n0123\r\n06\r\n456789\r\n0\r\nX: y\r\n\r\n"
                "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", output);
    site_expect("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: "
                "20\r\n\r\n01234567890123456789", HELLO);
    site_expect("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", HELLO);
}
END_TEST

START_TEST(test_blocking_body)
{
    site_expect("POST /b/show HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                HEAD_200 "Content-Length: 44\r\n\r\nPOST|/b/show|/b/show|/||(none)|192.0.2.1|abc");
}
END_TEST

START_TEST(rfc9110_10_1_1_expect)
{
    static const char head[] = "POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                               "Content-Length: 3\r\n\r\n";
    reeve_conn *conn = own_site_connect();
    site_feed(conn, head);
    ck_assert_str_eq(fake_output(conn, NULL), "HTTP/1.1 100 Continue\r\n\r\n");
    site_feed(conn, "abc");
    site_check(conn, "HTTP/1.1 100 Continue\r\n\r\n" HELLO);
    fake_close(&conn);

    conn = own_site_connect(); /* the body is on its way already */
    char all[256];
    snprintf(all, sizeof all, "%sabc", head);
    site_feed(conn, all);
    site_check(conn, HELLO);
    fake_close(&conn);

    /* never to a request without body, nor to HTTP/1.0, which knows no 1xx */
    site_expect("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", HELLO);
    site_expect("POST /hello HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
                HELLO_CLOSE);
    site_expect_page("POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     "Content-Length: 3\r\n\r\n",
                     "404", true);
    site_expect_page("POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                     "Content-Length: 33\r\n\r\n", "413", true);
}
END_TEST

UNIT_MAIN_AROUND("http-body", site_open, site_close, ONCE(rfc9112_6_3_bodies),
                 ONCE(test_blocking_body), ONCE(rfc9110_10_1_1_expect))
