/* The whole http module over a stand-in for the engine: what is refused, and what fails. */
#include "config.h"

#include <string.h>

#include "site.h"
#include "unit.h"

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
    site_expect_page(errors[_i].input, errors[_i].status, errors[_i].closed);
}
END_TEST

START_TEST(test_failed_handler_is_logged)
{
    reeve_conn *conn = own_site_connect();
    site_feed(conn, "GET /silent/x HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_ptr_null(strstr(fake_output(conn, NULL), "X-Lost"));
    ck_assert_ptr_nonnull(strstr(fake_log, "0 handler-failed: handler "));
    ck_assert_ptr_nonnull(strstr(fake_log, " of route /silent in site default returned 0 without "
                                           "an answer to GET /silent/x"));
    fake_close(&conn);
    site_expect("GET /twice HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
    ck_assert_ptr_nonnull(strstr(fake_log, "returned -1 after an answer"));
}
END_TEST

START_TEST(test_queue_full)
{
    fake_pool = FAKE_FULL;
    reeve_conn *conn = own_site_connect();
    site_feed(conn, "GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
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
            site_feed(conn, inputs[i]);
            reeve_verdict verdict = fake_verdict(conn);
            fake_close(&conn);
            if (verdict == REEVE_WANT_READ)
                break;
            ck_assert_int_eq(verdict, REEVE_ERROR);
            ck_assert_uint_lt(memory, 5);
        }
}
END_TEST

UNIT_MAIN_AROUND("http-errors", site_open, site_close, EACH(rfc9110_15_errors, errors),
                 ONCE(test_failed_handler_is_logged), ONCE(test_queue_full),
                 ONCE(test_short_memory))
