/* Answers in pieces, answers that come later, and what a handler is given to make them: the whole
 * http module over a stand-in for the engine. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/conn.h"
#include "../../modules/http/form.h"
#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HEAD "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---------------------------------------------------------------- the handler ------- */

static const char *const *pieces; /* what more() says, one after the other */
static int last;                  /* and what it returns when there are no more */
static uint64_t length;
static int asked, over_count;
static reeve_request *later;

static int more(reeve_request *request, void *arg)
{
    ck_assert_str_eq(arg, "arg");
    asked++;
    if (*pieces == NULL)
        return last;
    const char *piece = *pieces++;
    if (reeve_write(request, piece, strlen(piece)) != 0)
        return -1;
    return 1;
}

static void over(void *arg)
{
    ck_assert_str_eq(arg, "arg");
    over_count++;
}

static int stream(reeve_request *request, void *config)
{
    (void)config;
    ck_assert_int_eq(reeve_write(request, "early", 5), -1);
    char *arg = reeve_alloc(request, 4);
    ck_assert_ptr_nonnull(arg);
    memcpy(arg, "arg", 4);
    int result = reeve_reply_stream(request, 200, "text/plain", length, more, over, arg);
    ck_assert_int_eq(reeve_reply_status(request, 200), -1);
    return result;
}

static int defer(reeve_request *request, void *config)
{
    (void)config;
    later = request;
    return reeve_defer(request) == 0 ? 0 : reeve_reply_status(request, 503);
}

static int values(reeve_request *request, void *config)
{
    (void)config;
    char text[200];
    const char *query = reeve_query_value(request, "name");
    const char *form = reeve_form_value(request, "name");
    int n = snprintf(text, sizeof text, "%s|%s", query != NULL ? query : "(none)",
                     form != NULL ? form : "(none)");
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

static const struct own_route routes[] = {
    {"/s", {.protocol = "http", .handle = stream}, NULL},
    {"/pool/s", {.protocol = "http", .blocking = true, .handle = stream}, NULL},
    {"/d", {.protocol = "http", .handle = defer}, NULL},
    {"/pool/d", {.protocol = "http", .blocking = true, .handle = defer}, NULL},
    {"/v", {.protocol = "http", .handle = values}, NULL},
};

static const struct fake_value limits[] = {
    {.name = "line_limit", .number = 100}, {.name = "header_limit", .number = 300},
    {.name = "header_count", .number = 5}, {.name = "body_limit", .number = 100},
    {.name = "access_log", .text = "log"}, {.name = NULL},
};

static void set_up(void)
{
    static const char *const none[] = {NULL};
    own_site_open(routes, sizeof routes / sizeof *routes, limits);
    pieces = none;
    last = asked = over_count = 0;
    length = REEVE_UNKNOWN_LENGTH;
}

/* What is sent upon `input`, and the verdict; over() is called. */
static void expect(const char *input, const char *wanted, reeve_verdict verdict)
{
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, input, strlen(input));
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    ck_assert_int_eq(fake_verdict(conn), verdict);
    fake_close(&conn);
    ck_assert_int_eq(over_count, 1);
}

/* One line in the access log, with this status and these bytes. */
static void expect_line(const char *numbers)
{
    char part[40];
    snprintf(part, sizeof part, "\" %s \"-\"", numbers);
    ck_assert_ptr_nonnull(strstr(fake_access, part));
    ck_assert_ptr_eq(strchr(fake_access, '\n'), fake_access + strlen(fake_access) - 1);
}

/* ---------------------------------------------------------------- in pieces --------- */

static const char *const three[] = {"one", "and two", "", "three", NULL};
static const char *const two[] = {"one", "two", NULL};
static const char *const targets[] = {"/s", "/pool/s"};

static const char *get(int which, const char *version)
{
    static char text[100];
    snprintf(text, sizeof text, "GET %s HTTP/1.%s\r\nHost: a\r\n\r\n", targets[which], version);
    return text;
}

START_TEST(of_unknown_length_chunked)
{
    pieces = two;
    expect(get(_i, "1"), CHUNKED "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", REEVE_WANT_READ);
    ck_assert_int_eq(asked, 3);
    expect_line("200 6");
}
END_TEST

START_TEST(empty)
{
    expect(get(_i, "1"), CHUNKED "0\r\n\r\n", REEVE_WANT_READ);
}
END_TEST

START_TEST(of_unknown_length_to_an_old_client)
{
    pieces = two;
    expect(get(_i, "0"), HEAD "Connection: close\r\n\r\nonetwo", REEVE_CLOSE);
}
END_TEST

START_TEST(of_known_length)
{
    pieces = two;
    length = 6;
    expect(get(_i, "1"), HEAD "Content-Length: 6\r\n\r\nonetwo", REEVE_WANT_READ);
}
END_TEST

START_TEST(too_short)
{
    pieces = two;
    length = 7;
    expect(get(_i, "1"), HEAD "Content-Length: 7\r\n\r\nonetwo", REEVE_ERROR);
    ck_assert_ptr_nonnull(strstr(fake_log, "ended before the length"));
    expect_line("200 6");
}
END_TEST

START_TEST(too_long)
{
    pieces = two;
    length = 5;
    expect(get(_i, "1"), HEAD "Content-Length: 5\r\n\r\none", REEVE_ERROR);
    ck_assert_ptr_nonnull(strstr(fake_log, "of route"));
    expect_line("200 3");
}
END_TEST

START_TEST(given_up)
{
    pieces = two;
    last = -1;
    expect(get(_i, "1"), CHUNKED "3\r\none\r\n3\r\ntwo\r\n", REEVE_ERROR);
    ck_assert_ptr_nonnull(strstr(fake_log, "gave up after 6 bytes"));
    expect_line("200 6");
}
END_TEST

START_TEST(without_a_piece)
{
    pieces = three;
    expect(get(_i, "1"), CHUNKED "3\r\none\r\n7\r\nand two\r\n", REEVE_ERROR);
    ck_assert_ptr_nonnull(strstr(fake_log, "neither a piece nor an end"));
}
END_TEST

START_TEST(no_body_for_head)
{
    pieces = two;
    expect("HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED, REEVE_WANT_READ);
    ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(a_pipeline_stays_in_order)
{
    static const char *const once[] = {"one", NULL};
    pieces = once;
    expect(GET("/s") GET("/v?name=x"), CHUNKED "3\r\none\r\n0\r\n\r\n" HEAD
           "Content-Length: 8\r\n\r\nx|(none)", REEVE_WANT_READ);
}
END_TEST

/* Nobody asks for more than the client takes. */
START_TEST(congested)
{
    static char big[5001];
    static const char *const many[] = {big, big, big, NULL};
    memset(big, 'b', sizeof big - 1);
    pieces = many;
    length = 15000;
    fake_high_water = 4000;
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, get(_i, "1"), strlen(get(_i, "1")));
    size_t sent;
    fake_output(conn, &sent);
    ck_assert_uint_eq(sent, strlen(HEAD "Content-Length: 15000\r\n\r\n") + 15000);
    ck_assert_int_ge(fake_flushes(conn), 3);
    fake_close(&conn);
}
END_TEST

START_TEST(the_pool_is_full_for_a_while)
{
    static const char *const once[] = {"one", NULL};
    pieces = once;
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, get(1, "1"), strlen(get(1, "1")));
    fake_pool = FAKE_FULL;
    fake_run_jobs(conn, true); /* handle() */
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB); /* nothing is read meanwhile */
    ck_assert_int_gt(fake_deadline(conn), 0);
    fake_pool = FAKE_INLINE;
    fake_expire(conn);
    ck_assert_str_eq(fake_output(conn, NULL), CHUNKED "3\r\none\r\n0\r\n\r\n");
    fake_close(&conn);
    ck_assert_int_eq(over_count, 1);
}
END_TEST

START_TEST(the_client_goes_meanwhile)
{
    pieces = two;
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, get(1, "1"), strlen(get(1, "1")));
    fake_run_jobs(conn, true);  /* handle() */
    fake_run_jobs(conn, false); /* more() is not called any more */
    ck_assert_int_eq(fake_verdict(conn), REEVE_ERROR);
    ck_assert_int_eq(asked, 0);
    fake_close(&conn);
    ck_assert_int_eq(over_count, 1);
    expect_line("200 0");
}
END_TEST

/* Only what was queued counts, in the loop and from the pool. */
START_TEST(a_piece_cannot_be_queued)
{
    pieces = two;
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, get(1, "1"), strlen(get(1, "1")));
    fake_run_jobs(conn, true); /* handle() */
    fake_run_jobs(conn, true); /* "one" */
    fake_memory_left = 0;
    fake_run_jobs(conn, true); /* "two" */
    ck_assert_int_eq(asked, 2);
    ck_assert_int_eq(fake_verdict(conn), REEVE_ERROR);
    fake_close(&conn);
    expect_line("200 3");
}
END_TEST

/* ---------------------------------------------------------------- later ------------- */

static reeve_conn *put_off(int which)
{
    reeve_conn *conn = own_site_connect();
    const char *text = which ? GET("/pool/d") : GET("/d");
    later = NULL;
    fake_feed(conn, text, strlen(text));
    ck_assert_ptr_nonnull(later);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert(reeve_is_wanted(later));
    return conn;
}

START_TEST(answered_later)
{
    reeve_conn *conn = put_off(_i);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    ck_assert_int_eq(reeve_reply(later, 200, "text/plain", "late\n", 5), 0);
    reeve_finish(later);
    fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), HEAD "Content-Length: 5\r\n\r\nlate\n");
    ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
    fake_close(&conn);
}
END_TEST

START_TEST(finished_without_an_answer)
{
    reeve_conn *conn = put_off(_i);
    reeve_finish(later);
    fake_run_jobs(conn, true);
    ck_assert(strncmp(fake_output(conn, NULL), "HTTP/1.1 500 ", 13) == 0);
    ck_assert_ptr_nonnull(strstr(fake_log, "without an answer"));
    fake_close(&conn);
}
END_TEST

START_TEST(put_off_and_the_client_goes)
{
    reeve_conn *conn = put_off(_i);
    fake_go(conn);
    ck_assert(!reeve_is_wanted(later));
    reeve_finish(later);
    fake_run_jobs(conn, false);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    fake_close(&conn);
}
END_TEST

/* ---------------------------------------------------------------- values ------------ */

static void check_value(const char *text, const char *name, const char *wanted)
{
    size_t found_length = 0;
    char out[100];
    const char *found = form_find(text, strlen(text), name, &found_length);
    if (wanted == NULL) {
        ck_assert_ptr_null(found);
        return;
    }
    ck_assert_ptr_nonnull(found);
    form_decode(found, found_length, out);
    ck_assert_str_eq(out, wanted);
}

START_TEST(values_of_a_form)
{
    check_value("", "a", NULL);
    check_value("a=1", "a", "1");
    check_value("ab=1&a=2&a=3", "a", "2");
    check_value("a", "a", "");
    check_value("=x&a=", "", "x");
    check_value("b&a=1%202+3", "a", "1 2 3");
    check_value("%61=x", "a", "x");
    check_value("a%00b=x", "a", NULL);
    check_value("a=%zz%4", "a", "%zz%4");
    check_value("a=1=2&&", "a", "1=2");
    check_value("a+b=1", "a b", "1");
    check_value("ax=1", "ay", NULL);
}
END_TEST

START_TEST(values_of_a_request)
{
    static const char post[] = "POST /v?name=q HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n"
                               "Content-Type: application/x-www-form-urlencoded; charset=x\r\n\r\n"
                               "name=f";
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, post, sizeof post - 1);
    ck_assert_str_eq(fake_output(conn, NULL), HEAD "Content-Length: 3\r\n\r\nq|f");
    fake_close(&conn);
}
END_TEST

UNIT_MAIN_AROUND("http-stream", set_up, own_site_close, EACH(of_unknown_length_chunked, targets),
                 EACH(empty, targets), EACH(of_unknown_length_to_an_old_client, targets),
                 EACH(of_known_length, targets), EACH(too_short, targets), EACH(too_long, targets),
                 EACH(given_up, targets), EACH(without_a_piece, targets), ONCE(no_body_for_head),
                 ONCE(a_pipeline_stays_in_order), EACH(congested, targets),
                 ONCE(the_pool_is_full_for_a_while), ONCE(the_client_goes_meanwhile),
                 ONCE(a_piece_cannot_be_queued),
                 EACH(answered_later, targets), EACH(finished_without_an_answer, targets),
                 EACH(put_off_and_the_client_goes, targets), ONCE(values_of_a_form),
                 ONCE(values_of_a_request))
