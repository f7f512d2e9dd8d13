/* The access log: the whole http module over a stand-in for the engine. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/settings.h"
#include "site.h"
#include "unit.h"

static void set_up(void)
{
    site_open();
    setenv("TZ", "UTC", 1); /* the combined line tells the local time */
}

/* A client that has sent this. */
static reeve_conn *ask(const char *input)
{
    reeve_conn *conn = own_site_connect();
    fake_access[0] = '\0';
    fake_feed(conn, input, strlen(input));
    return conn;
}

/* ---------------------------------------------------------------- access log -------- */

static void logged(const char *input, const char *wanted)
{
    reeve_conn *conn = ask(input);
    ck_assert_str_eq(fake_access, wanted);
    fake_close(&conn);
}

#define LOGGED "192.0.2.1 - - [20/Nov/2026:23:01:02 +0000] "

START_TEST(combined)
{
    logged("GET /hello?a HTTP/1.1\r\nHost: a\r\nReferer: http://x/\r\nUser-Agent: u/1\r\n\r\n",
           LOGGED "\"GET /hello?a HTTP/1.1\" 200 6 \"http://x/\" \"u/1\"\n");
    logged("HEAD /b/hello HTTP/1.0\r\n\r\n",
           LOGGED "\"HEAD /b/hello HTTP/1.0\" 200 0 \"-\" \"-\"\n");
    logged("GET /hello\"\\\xc3 HTTP/1.1\r\nHost: a\r\nUser-Agent: \"\t\r\n\r\n",
           LOGGED "\"GET /hello\\x22\\x5c\\xc3 HTTP/1.1\" 404 118 \"-\" \"\\x22\"\n");
    logged("GET /hello HTTP/1.1\r\n\r\n", LOGGED "\"GET /hello HTTP/1.1\" 400 146 \"-\" \"-\"\n");
    logged("\x1b[31m\n", LOGGED "\"\\x1b[31m\" 400 158 \"-\" \"-\"\n");
}
END_TEST

/* The connection ends with a request in hand: one line if its head was complete. */
static const struct {
    const char *input, *wanted;
} cut[] = {
    {"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nUser-Agent: u\r\n\r\nab",
     LOGGED "\"POST /hello HTTP/1.1\" 499 0 \"-\" \"u\"\n"},
    {"GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n",
     LOGGED "\"GET /b/hello HTTP/1.1\" 499 0 \"-\" \"-\"\n"},
    {"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n",
     LOGGED "\"GET /hello HTTP/1.1\" 200 6 \"-\" \"-\"\n"
     LOGGED "\"GET /b/hello HTTP/1.1\" 499 0 \"-\" \"-\"\n"},
    {"GET /hello HTTP/1.1\r\nHost: a\r\n", ""},
    {"GET /hello", ""},
};

START_TEST(interrupted)
{
    fake_pool = FAKE_DEFERRED;
    for (int seen = 0; seen <= 1; seen++) { /* by its end, or by a reset */
        reeve_conn *conn = ask(cut[_i].input);
        if (seen)
            fake_end(conn);
        fake_close(&conn);
        ck_assert_str_eq(fake_access, cut[_i].wanted);
    }
}
END_TEST

/* A large answer is logged when most of it is sent, or with what was. */
START_TEST(large)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
                               "Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\n";
    static const char input[] = "GET /big HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\n"
                                "User-Agent: v\r\nContent-Length: 3\r\n\r\nabc";
    static const struct {
        size_t window, bytes;
    } rows[] = {{10, 0}, {sizeof head - 1, 0}, {sizeof head, 1}, {5000 + sizeof head - 1, 5000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char wanted[200];
        fake_window = rows[i].window;
        reeve_conn *conn = ask(input);
        ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_WRITE);
        ck_assert_int_eq(fake_busy(conn), 0);
        ck_assert_str_eq(fake_access, "");
        fake_close(&conn);
        snprintf(wanted, sizeof wanted, LOGGED "\"GET /big HTTP/1.1\" 200 %zu \"-\" \"u, v\"\n",
                 rows[i].bytes);
        ck_assert_str_eq(fake_access, wanted);
    }
    fake_window = 90000;
    reeve_conn *conn = ask(input);
    ck_assert_str_eq(fake_access, LOGGED "\"GET /big HTTP/1.1\" 200 100000 \"-\" \"u, v\"\n");
    fake_close(&conn);
    ck_assert_ptr_eq(strchr(fake_access, '\n'), fake_access + strlen(fake_access) - 1);
}
END_TEST

/* The client has gone, and nobody noticed before the handler's answer could not be queued. */
START_TEST(too_late)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask("GET /b/hello HTTP/1.1\r\nHost: a\r\n\r\n");
    fake_memory_left = 0;
    fake_run_jobs(conn, true);
    ck_assert_int_eq(fake_verdict(conn), REEVE_ERROR);
    fake_close(&conn);
    ck_assert_str_eq(fake_access, LOGGED "\"GET /b/hello HTTP/1.1\" 499 0 \"-\" \"-\"\n");
}
END_TEST

/* The line as JSON: what differs from run to run is looked at and taken out. */
static void logged_json(const char *input, const char *wanted)
{
    int year, n = 0;
    char id[64], rest[8192];
    reeve_conn *conn = ask(input);
    fake_close(&conn);
    ck_assert_int_eq(sscanf(fake_access,
                            "{\"time\":\"%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ\",\"request_id\":\""
                            "%32[0-9a-f]\",%n", &year, id, &n), 2);
    ck_assert_int_gt(n, 0);
    ck_assert_int_gt(year, 2000);
    ck_assert_uint_eq(strlen(id), 32);
    char *seconds = strstr(fake_access + n, "\"seconds\":");
    ck_assert_ptr_nonnull(seconds);
    double took = strtod(seconds + 10, &seconds);
    ck_assert(took >= 0 && took < UNIT_TIMEOUT);
    ck_assert_int_eq(seconds[-7], '.'); /* microseconds */
    snprintf(rest, sizeof rest, "%.*s%s", (int)(strstr(fake_access, "\"seconds\":") -
                                              (fake_access + n)), fake_access + n, seconds + 1);
    ck_assert_str_eq(rest, wanted);
}

#define LOGGED_JSON "\"peer\":\"192.0.2.1\",\"site\":\"default\","

START_TEST(json)
{
    settings.sites[0].access.format = ACCESS_JSON;
    settings.access.format = ACCESS_JSON;
    settings.timed = true;
    logged_json("GET /hello?a HTTP/1.1\r\nHost: a\r\nReferer: http://x/\r\nUser-Agent: u/1\r\n\r\n",
                LOGGED_JSON "\"method\":\"GET\",\"target\":\"/hello?a\",\"protocol\":\"HTTP/1.1\","
                "\"status\":200,\"bytes\":6,\"referer\":\"http://x/\",\"user_agent\":\"u/1\","
                "\"user\":null}\n");
    logged_json("HEAD /b/hello HTTP/1.0\r\nReferer:\r\n\r\n",
                LOGGED_JSON "\"method\":\"HEAD\",\"target\":\"/b/hello\","
                "\"protocol\":\"HTTP/1.0\",\"status\":200,\"bytes\":0,\"referer\":\"\","
                "\"user_agent\":null,\"user\":null}\n");
    /* UTF-8 of two, three and four bytes; then what is none: too long a form, a surrogate, beyond
     * Unicode, a lone continuation, a sequence that is cut short. */
    logged_json("GET /\"\\ HTTP/1.1\r\nHost: a\r\n"
                "Referer: \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc2\x9b\r\n"
                "User-Agent: \xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\x80\xff\xe2\x82\r\n\r\n",
                LOGGED_JSON "\"method\":\"GET\",\"target\":\"/\\\"\\\\\",\"protocol\":\"HTTP/1.1\","
                "\"status\":404,\"bytes\":118,"
                "\"referer\":\"\\u00e4\\u20ac\\ud83d\\ude00\\u009b\","
                "\"user_agent\":\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
                "\\ufffd\\ufffd\\ufffd\\ufffd\",\"user\":null}\n");
    logged_json("\x1b[31m\n",
                "\"peer\":\"192.0.2.1\",\"site\":null,\"method\":null,\"target\":null,"
                "\"protocol\":null,\"status\":400,\"bytes\":158,\"referer\":null,"
                "\"user_agent\":null,\"user\":null,\"line\":\"\\u001b[31m\"}\n");
    logged_json("PUT /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
                LOGGED_JSON "\"method\":\"PUT\",\"target\":\"/hello\",\"protocol\":\"HTTP/1.1\","
                "\"status\":499,\"bytes\":0,\"referer\":null,\"user_agent\":null,\"user\":null,"
                "\"interrupted\":true}\n");
}
END_TEST

/* Texts of any length: the line holds its bounds and stays whole. */
START_TEST(long_texts)
{
    static char input[70000];
    settings.limits = (struct parse_limits){.line = 65536, .header = 65536, .count = 10};
    for (int format = ACCESS_COMBINED; format <= ACCESS_JSON; format++) {
        settings.sites[0].access.format = (enum access_format)format;
        size_t n = (size_t)sprintf(input, "GET /");
        memset(input + n, 0xf4, 30000);
        n += 30000;
        n += (size_t)sprintf(input + n, " HTTP/1.1\r\nHost: a\r\nReferer: ");
        for (int i = 0; i < 5000; i++, n += 4)
            memcpy(input + n, "\xf0\x9f\x98\x80", 4);
        n += (size_t)sprintf(input + n, "\r\nUser-Agent: ");
        memset(input + n, '"', 10000);
        sprintf(input + n + 10000, "\r\n\r\n");
        reeve_conn *conn = ask(input);
        fake_close(&conn);
        size_t length = strlen(fake_access);
        ck_assert_uint_gt(length, 6000);
        ck_assert_uint_lt(length, 14336);
        ck_assert_ptr_eq(strchr(fake_access, '\n'), fake_access + length - 1);
        ck_assert_ptr_nonnull(strstr(fake_access, format == ACCESS_JSON
                                                      ? "\\ude00\",\"user_agent\":\"\\\""
                                                      : "\" \"\\x22"));
    }
}
END_TEST

UNIT_MAIN_AROUND("http-access", set_up, site_close, ONCE(combined), ONCE(json),
                 EACH(interrupted, cut), ONCE(too_late), ONCE(large), ONCE(long_texts))
