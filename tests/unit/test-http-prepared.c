/* Answers made once and given often, in the loop and in the pool: the whole http module over a
 * stand-in for the engine. The first request makes the answer, with a field of its own, and all
 * requests are given it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../modules/http/answer.h"
#include "../../modules/http/request.h"
#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HEAD(length) "Content-Type: text/plain\r\nContent-Length: " length "\r\nX-Own: 1\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

/* ---------------------------------------------------------------- the handler ------- */

static reeve_prepared *prepared;
static int fd = -1;
static int status = 200;
static size_t length;
static char body[ANSWER_SMALL + 2];
static bool besides, given_up;

static void prepare(reeve_request *request)
{
    ck_assert_int_eq(reeve_set_header(request, "X-Own", "1"), 0);
    prepared = fd >= 0 ? reeve_prepare_file(request, status, "text/plain", fd, 1, length)
                       : reeve_prepare(request, status, "text/plain", body, length);
    ck_assert_ptr_nonnull(prepared);
}

static int handle(reeve_request *request, void *config)
{
    (void)config;
    if (prepared == NULL)
        prepare(request);
    if (besides)
        ck_assert_int_eq(reeve_set_header(request, "X-Besides", "2"), 0);
    int result = reeve_reply_prepared(request, prepared);
    ck_assert_int_eq(reeve_reply_prepared(request, prepared), -1);
    ck_assert_ptr_null(reeve_prepare(request, 200, NULL, NULL, 0));
    if (given_up)
        reeve_prepared_free(prepared);
    return result;
}

/* ---------------------------------------------------------------- around ------------ */

static struct own_route route = {"/", {.protocol = "http", .handle = handle}, NULL};

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 1000}, {.name = "header_limit", .number = 1000},
    {.name = "header_count", .number = 50}, {.name = "body_limit", .number = 100},
    {.name = NULL},
};

static void set_up(void)
{
    own_site_open(&route, 1, values);
    memset(body, 'b', sizeof body);
}

static void tear_down(void)
{
    if (prepared != NULL && !given_up)
        reeve_prepared_free(prepared);
    own_site_close();
}

static void expect(const char *request, const char *wanted)
{
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, request, strlen(request));
    if (route.handler.blocking)
        fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    fake_close(&conn);
}

#define ASK(method, version) method " / " version "\r\nHost: a\r\n\r\n"
#define GET ASK("GET", "HTTP/1.1")

/* A file that holds `text`; it has no name any more. */
static void open_file(const char *text)
{
    char name[] = "/tmp/test-http-prepared-XXXXXX";
    fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* ---------------------------------------------------------------- tests ------------- */

START_TEST(given_often)
{
    route.handler.blocking = _i == 1;
    fake_pool = route.handler.blocking ? FAKE_DEFERRED : FAKE_INLINE;
    length = 3;
    expect(GET, OK DATE HEAD("3") "\r\nbbb");
    memset(body, 'c', sizeof body); /* it was copied */
    fake_seconds++;
    expect(GET, OK "Date: Fri, 20 Nov 2026 23:01:03 GMT\r\n" HEAD("3") "\r\nbbb");
    expect(ASK("HEAD", "HTTP/1.1"), OK "Date: Fri, 20 Nov 2026 23:01:03 GMT\r\n" HEAD("3") "\r\n");
}
END_TEST

START_TEST(what_concerns_one_request)
{
    length = 3;
    expect(ASK("GET", "HTTP/1.0"), OK DATE HEAD("3") "Connection: close\r\n\r\nbbb");
    expect("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
           OK DATE HEAD("3") "Connection: keep-alive\r\n\r\nbbb");
    besides = true;
    expect(GET, OK DATE HEAD("3") "\r\nbbb"); /* it is complete as it is */
}
END_TEST

/* A status that has no body has none, whatever was said of it. */
START_TEST(without_a_body)
{
    status = _i == 1 ? 200 : 204;
    length = _i < 2 ? 0 : _i == 2 ? 3 : sizeof body;
    expect(GET, _i != 1 ? "HTTP/1.1 204 No Content\r\n" DATE "X-Own: 1\r\n\r\n"
                        : OK DATE HEAD("0") "\r\n");
}
END_TEST

/* From the size on where it is lent to the engine instead of copied; and freed before it is
 * sent, but for the bytes. */
START_TEST(a_large_one_outlives_its_maker)
{
    char *wanted;
    length = ANSWER_SMALL + (size_t)_i;
    given_up = true;
    ck_assert_int_gt(asprintf(&wanted, OK DATE "Content-Type: text/plain\r\nContent-Length: %zu"
                              "\r\nX-Own: 1\r\n\r\n%.*s", length, (int)length, body), 0);
    expect(GET, wanted);
    free(wanted);
}
END_TEST

START_TEST(of_a_file)
{
    open_file("xfile");
    length = 4;
    expect(GET, OK DATE HEAD("4") "\r\nfile");
    expect(ASK("HEAD", "HTTP/1.1"), OK DATE HEAD("4") "\r\n");
    expect(GET, OK DATE HEAD("4") "\r\nfile");
    reeve_prepared_free(prepared);
    prepared = NULL;
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* The descriptor is closed when the last byte is sent. */
START_TEST(a_file_outlives_its_maker)
{
    open_file("xfile");
    length = 4;
    given_up = true;
    expect(GET, OK DATE HEAD("4") "\r\nfile");
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(memory_is_short)
{
    length = 3;
    expect(GET, OK DATE HEAD("3") "\r\nbbb");
    fake_memory_left = 0;
    reeve_conn *conn = own_site_connect();
    fake_feed(conn, GET, strlen(GET));
    ck_assert_int_eq(fake_verdict(conn), REEVE_ERROR);
    fake_close(&conn);
}
END_TEST

UNIT_MAIN_AROUND("http-prepared", set_up, tear_down, TIMES(given_often, 2),
                 ONCE(what_concerns_one_request), TIMES(without_a_body, 4),
                 TIMES(a_large_one_outlives_its_maker, 2), ONCE(of_a_file),
                 ONCE(a_file_outlives_its_maker), ONCE(memory_is_short))
