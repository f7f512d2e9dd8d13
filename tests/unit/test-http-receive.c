/* Bodies that a handler receives piece by piece, in the loop and in the pool, and those that nobody
 * wants: the whole http module over a stand-in for the engine. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/body.h"
#include "../../modules/http/conn.h"
#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HEAD "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
#define POST(target, fields) "POST " target " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define NEXT "GET /r HTTP/1.1\r\nHost: a\r\n\r\n"
#define NEXT_ANSWER HEAD "Content-Length: 1\r\n\r\n-"

/* ---------------------------------------------------------------- the handler ------- */

/* What it has seen, and what it is to do. */
static struct {
    char text[300000];
    size_t length, largest;
    int calls, handled, over;
    bool blocking;
    bool sets;           /* a field, before the first piece */
    size_t stop_at;      /* answers when so many bytes have come; SIZE_MAX: never */
    int (*stop)(reeve_request *request);
} seen;

static void over(void *pointer)
{
    ck_assert_ptr_eq(pointer, &seen);
    seen.over++;
}

static int receive(reeve_request *request, void *config, const void *data, size_t length)
{
    ck_assert_ptr_null(config);
    size_t body;
    ck_assert_str_eq(reeve_body(request, &body), "");
    ck_assert_uint_eq(body, 0);
    ck_assert_int_eq(reeve_may_wait(request), seen.blocking);
    if (seen.calls++ == 0) {
        ck_assert_ptr_null(data);
        ck_assert_uint_eq(length, 0);
        ck_assert_ptr_null(reeve_kept(request));
        ck_assert_int_eq(reeve_keep(request, &seen, over), 0);
        ck_assert_int_eq(reeve_keep(request, request, over), -1);
        ck_assert_int_eq(reeve_defer(request), -1);
        ck_assert_int_eq(reeve_again(request), -1);
        ck_assert_int_eq(reeve_interim(request, 103), -1);
        if (seen.sets)
            ck_assert_int_eq(reeve_set_header(request, "X-Set", "1"), 0);
    } else {
        ck_assert_uint_gt(length, 0);
        ck_assert_uint_le(length, BODY_PIECE_MAX);
    }
    ck_assert_ptr_eq(reeve_kept(request), &seen);
    ck_assert_uint_le(length, sizeof seen.text - seen.length);
    if (length > 0)
        memcpy(seen.text + seen.length, data, length);
    seen.length += length;
    if (length > seen.largest)
        seen.largest = length;
    return seen.length >= seen.stop_at ? seen.stop(request) : 0;
}

static int handle(reeve_request *request, void *config)
{
    ck_assert_ptr_null(config);
    size_t length;
    reeve_body(request, &length);
    ck_assert_uint_eq(length, 0);
    if (reeve_kept(request) == NULL) /* there was no body */
        return reeve_reply(request, 200, "text/plain", "-", 1);
    seen.handled++;
    if (seen.length > 100)
        return reeve_reply(request, 200, "text/plain", "large", 5);
    return reeve_reply(request, 200, "text/plain", seen.text, seen.length);
}

static int too_large(reeve_request *request)
{
    ck_assert_int_eq(reeve_set_header(request, "X-Why", "full"), 0);
    int result = reeve_reply(request, 413, "text/plain", "full", 4);
    ck_assert_int_eq(reeve_reply_status(request, 500), -1);
    return result;
}

static int give_up(reeve_request *request)
{
    ck_assert_int_eq(reeve_set_header(request, "X-Why", "lost"), 0);
    return -1;
}

static int more(reeve_request *request, void *arg)
{
    int *left = arg;
    ck_assert_int_eq(reeve_write(request, "piece", 5), 0);
    return --*left > 0;
}

static int stream(reeve_request *request)
{
    int *left = reeve_alloc(request, sizeof *left);
    ck_assert_ptr_nonnull(left);
    *left = 3;
    return reeve_reply_stream(request, 403, "text/plain", REEVE_UNKNOWN_LENGTH, more, NULL, left);
}

/* ---------------------------------------------------------------- the site ---------- */

static const reeve_section older = {.minor = 1};

static const struct own_route routes[] = {
    {"/r", {.protocol = "http", .handle = handle, .receive = receive}, NULL},
    {"/p", {.protocol = "http", .handle = handle, .receive = receive, .blocking = true}, NULL},
    {"/old", {.protocol = "http", .handle = handle, .receive = receive}, &older},
};

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 200},     {.name = "header_limit", .number = 400},
    {.name = "header_count", .number = 8},     {.name = "keepalive_timeout", .number = 15000},
    {.name = "body_limit", .number = 20},      {.name = "header_timeout", .number = 20000},
    {.name = "body_rate", .number = 100},      {.name = "body_timeout", .number = 30000},
    {.name = NULL},
};

static void set_up(void)
{
    own_site_open(routes, sizeof routes / sizeof *routes, values);
}

/* ---------------------------------------------------------------- driving ----------- */

static reeve_conn *begin(bool blocking)
{
    memset(&seen, 0, sizeof seen);
    seen.blocking = blocking;
    seen.stop_at = SIZE_MAX;
    return own_site_connect();
}

static void feed(reeve_conn *conn, const char *text)
{
    fake_feed(conn, text, strlen(text));
}

/* The input, split at `first` and from there in pieces of `step`. */
static void feed_split(reeve_conn *conn, const char *text, size_t first, size_t step)
{
    size_t length = strlen(text), piece = first;
    for (size_t at = 0; at < length; at += piece, piece = step) {
        if (piece > length - at)
            piece = length - at;
        fake_feed(conn, text + at, piece);
    }
}

/* However it is split, the handler receives `body` and the client the answer. */
static void expect(const char *input, const char *body, const char *output)
{
    bool blocking = strstr(input, " /p ") != NULL;
    size_t length = strlen(input);
    for (size_t first = 0; first <= length; first++)
        for (size_t step = 1; step <= length; step += length - 1) {
            reeve_conn *conn = begin(blocking);
            feed_split(conn, input, first, step);
            ck_assert_str_eq(fake_output(conn, NULL), output);
            ck_assert_str_eq(seen.text, body);
            ck_assert_int_eq(seen.handled, 1);
            ck_assert_int_eq(seen.over, 1);
            ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
            ck_assert(!fake_lingers(conn));
            fake_close(&conn);
            ck_assert_int_eq(seen.over, 1);
        }
}

/* The answer is given early: it says that the connection closes, and that is done gently. */
static void expect_early(const char *input, size_t stop_at, int (*stop)(reeve_request *request),
                         const char *output)
{
    size_t length = strlen(input);
    for (size_t first = 0; first <= length; first++)
        for (size_t step = 1; step <= length; step += length - 1) {
            reeve_conn *conn = begin(strstr(input, " /p ") != NULL);
            seen.stop_at = stop_at;
            seen.stop = stop;
            feed_split(conn, input, first, step);
            ck_assert_str_eq(fake_output(conn, NULL), output);
            ck_assert_int_eq(seen.handled, 0);
            ck_assert_int_eq(seen.over, 1);
            ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
            ck_assert(fake_lingers(conn));
            ck_assert_int_eq(fake_busy(conn), 0);
            fake_close(&conn);
        }
}

/* ---------------------------------------------------------------- receiving --------- */

START_TEST(rfc9112_6_bodies_in_pieces)
{
    static const char answer[] = HEAD "Content-Length: 10\r\n\r\n0123456789" NEXT_ANSWER;
    expect(POST("/r", "Content-Length: 10\r\n") "0123456789" NEXT, "0123456789", answer);
    expect(POST("/p", "Content-Length: 10\r\n") "0123456789" NEXT, "0123456789", answer);
    expect(POST("/r", "Transfer-Encoding: chunked\r\n")
           "4;x=y\r\n0123\r\n06\r\n456789\r\n0\r\nX: y\r\n\r\n" NEXT, "0123456789", answer);
    expect(POST("/p", "Transfer-Encoding: chunked\r\n")
           "4;x=y\r\n0123\r\n06\r\n456789\r\n0\r\nX: y\r\n\r\n" NEXT, "0123456789", answer);
    expect(POST("/p", "Transfer-Encoding: chunked\r\n") "0\r\n\r\n" NEXT, "",
           HEAD "Content-Length: 0\r\n\r\n" NEXT_ANSWER); /* announced, and then none */
}
END_TEST

/* Larger than body_limit, and never more than a piece of it at once: in five chunks, or whole. */
START_TEST(test_large)
{
    static char body[200000], input[201000];
    const size_t part = sizeof body / 5;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i * 7 % 26);
    for (int blocking = 0; blocking <= 1; blocking++)
        for (int chunked = 0; chunked <= 1; chunked++) {
            reeve_conn *conn = begin(blocking);
            size_t n = (size_t)sprintf(input, "POST %s HTTP/1.1\r\nHost: a\r\n%s\r\n",
                                       blocking ? "/p" : "/r",
                                       chunked ? "Transfer-Encoding: chunked\r\n"
                                               : "Content-Length: 200000\r\n");
            for (size_t at = 0; at < sizeof body; at += part) {
                if (chunked)
                    n += (size_t)sprintf(input + n, "%s%zx\r\n", at > 0 ? "\r\n" : "", part);
                memcpy(input + n, body + at, part);
                n += part;
            }
            if (chunked)
                n += (size_t)sprintf(input + n, "\r\n0\r\n\r\n");
            fake_feed(conn, input, n);
            ck_assert_str_eq(fake_output(conn, NULL), HEAD "Content-Length: 5\r\n\r\nlarge");
            ck_assert_uint_eq(seen.length, sizeof body);
            ck_assert_int_eq(memcmp(seen.text, body, sizeof body), 0);
            ck_assert_uint_eq(seen.largest, !blocking && chunked ? part : BODY_PIECE_MAX);
            fake_close(&conn);
        }
}
END_TEST

/* While a piece is in the pool nothing is read, and what has come waits. */
START_TEST(test_one_piece_at_a_time)
{
    reeve_conn *conn = begin(true);
    fake_pool = FAKE_DEFERRED;
    feed(conn, POST("/p", "Content-Length: 6\r\n") "ab");
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert_int_eq(fake_deadline(conn), 0);
    ck_assert_int_eq(seen.calls, 0);
    fake_run_jobs(conn, true);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_uint_eq(seen.length, 0);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    feed(conn, "cd");
    fake_run_jobs(conn, true);
    ck_assert_str_eq(seen.text, "ab");
    fake_run_jobs(conn, true);
    ck_assert_str_eq(seen.text, "abcd");
    ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
    const struct http_conn *c = reeve_state(conn);
    ck_assert_uint_eq(c->request->body.room, 0); /* nothing is held while the client is slow */
    feed(conn, "ef");
    fake_run_jobs(conn, true);
    ck_assert_str_eq(seen.text, "abcdef");
    ck_assert_int_eq(seen.handled, 0);
    fake_run_jobs(conn, true); /* now handle() */
    ck_assert_str_eq(fake_output(conn, NULL), HEAD "Content-Length: 6\r\n\r\nabcdef");
    ck_assert_int_eq(seen.calls, 4);
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9110_10_1_1_expect)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    for (int blocking = 0; blocking <= 1; blocking++) {
        const char *head = blocking ? POST("/p", "Expect: 100-continue\r\nContent-Length: 2\r\n")
                                    : POST("/r", "Expect: 100-continue\r\nContent-Length: 2\r\n");
        reeve_conn *conn = begin(blocking);
        feed(conn, head);
        ck_assert_int_eq(seen.calls, 1);
        ck_assert_str_eq(fake_output(conn, NULL), go_on);
        feed(conn, "ab");
        ck_assert_str_eq(fake_output(conn, NULL) + strlen(go_on),
                         HEAD "Content-Length: 2\r\n\r\nab");
        fake_close(&conn);

        conn = begin(blocking); /* who is refused is never told to go on */
        seen.stop_at = 0;
        seen.stop = too_large;
        feed(conn, head);
        ck_assert_int_eq(strncmp(fake_output(conn, NULL), "HTTP/1.1 413 ", 13), 0);
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        ck_assert(fake_lingers(conn));
        fake_close(&conn);
    }
}
END_TEST

/* The loader takes modules whose struct ends before `receive`: it is not looked at. */
START_TEST(test_older_handler)
{
    reeve_conn *conn = begin(false);
    feed(conn, POST("/old", "Content-Length: 0\r\n") POST("/old", "Content-Length: 21\r\n"));
    ck_assert_int_eq(seen.calls, 0);
    ck_assert_ptr_nonnull(strstr(fake_output(conn, NULL), "HTTP/1.1 413 "));
    fake_close(&conn);
}
END_TEST

/* ---------------------------------------------------------------- early answers ----- */

#define FULL                                                                                       \
    "HTTP/1.1 413 Content Too Large\r\n" DATE "Content-Type: text/plain\r\n"                       \
    "Content-Length: 4\r\nConnection: close\r\nX-Why: full\r\n\r\nfull"

START_TEST(test_early_answers)
{
    static const char *const inputs[] = {
        POST("/r", "Content-Length: 8\r\n") "01234567",
        POST("/p", "Content-Length: 8\r\n") "01234567",
        POST("/r", "Transfer-Encoding: chunked\r\n") "8\r\n01234567\r\n0\r\n\r\n" NEXT,
        POST("/p", "Transfer-Encoding: chunked\r\n") "8\r\n01234567\r\n0\r\n\r\n" NEXT,
        POST("/p", "Transfer-Encoding: chunked\r\n") "8\r\n01234567\r\nz", /* and then nonsense */
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (size_t stop_at = 0; stop_at <= 8; stop_at += 4)
            expect_early(inputs[i], stop_at, too_large, FULL);
}
END_TEST

START_TEST(test_early_stream)
{
    static const char answer[] = "HTTP/1.1 403 Forbidden\r\n" DATE "Content-Type: text/plain\r\n"
                                 "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                 "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n";
    expect_early(POST("/r", "Content-Length: 8\r\n") "01234567", 3, stream, answer);
    expect_early(POST("/p", "Content-Length: 8\r\n") "01234567", 3, stream, answer);
}
END_TEST

START_TEST(test_failure)
{
    for (int blocking = 0; blocking <= 1; blocking++)
        for (size_t stop_at = 0; stop_at <= 2; stop_at += 2) {
            reeve_conn *conn = begin(blocking);
            seen.stop_at = stop_at;
            seen.stop = give_up;
            fake_log[0] = '\0';
            feed(conn, blocking ? POST("/p", "Content-Length: 8\r\n") "01"
                                : POST("/r", "Content-Length: 8\r\n") "01");
            const char *output = fake_output(conn, NULL);
            ck_assert_int_eq(strncmp(output, "HTTP/1.1 500 ", 13), 0);
            ck_assert_ptr_nonnull(strstr(output, "Connection: close\r\n"));
            ck_assert_ptr_null(strstr(output, "X-Why"));
            ck_assert_ptr_nonnull(strstr(fake_log, "handler-failed: handler handler of route "));
            ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
            ck_assert(fake_lingers(conn));
            ck_assert_int_eq(seen.over, 1);
            ck_assert_int_eq(seen.handled, 0);
            fake_close(&conn);
        }
}
END_TEST

/* A field that was set early is the answer's, but not of one that the core gives instead. */
START_TEST(test_fields_of_receive)
{
    static const char *const rests[] = {"2\r\nab\r\n0\r\n\r\n", "2\r\nab\r\nz"};
    for (int blocking = 0; blocking <= 1; blocking++)
        for (int bad = 0; bad <= 1; bad++) {
            reeve_conn *conn = begin(blocking);
            seen.sets = true;
            feed(conn, blocking ? POST("/p", "Transfer-Encoding: chunked\r\n")
                                : POST("/r", "Transfer-Encoding: chunked\r\n"));
            feed(conn, rests[bad]);
            const char *output = fake_output(conn, NULL);
            ck_assert_int_eq(strncmp(output, bad ? "HTTP/1.1 400" : "HTTP/1.1 200", 12), 0);
            ck_assert_int_eq(strstr(output, "\r\nX-Set: 1\r\n") != NULL, !bad);
            fake_close(&conn);
        }
}
END_TEST

/* What was good of a body is received before the mistake behind it is told. */
START_TEST(rfc9112_7_1_malformed)
{
    for (int blocking = 0; blocking <= 1; blocking++) {
        reeve_conn *conn = begin(blocking);
        feed(conn, blocking ? POST("/p", "Transfer-Encoding: chunked\r\n") "2\r\nab\r\nz"
                            : POST("/r", "Transfer-Encoding: chunked\r\n") "2\r\nab\r\nz");
        ck_assert_int_eq(strncmp(fake_output(conn, NULL), "HTTP/1.1 400 ", 13), 0);
        ck_assert_str_eq(seen.text, "ab");
        ck_assert_int_eq(seen.handled, 0);
        ck_assert_int_eq(seen.over, 1);
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        fake_close(&conn);
    }
}
END_TEST

START_TEST(test_length_beyond_counting)
{
    reeve_conn *conn = begin(false);
    feed(conn, POST("/r", "Content-Length: 99999999999999999999999\r\n"));
    ck_assert_int_eq(strncmp(fake_output(conn, NULL), "HTTP/1.1 413 ", 13), 0);
    ck_assert_int_eq(seen.calls, 0);
    fake_close(&conn);
}
END_TEST

/* ---------------------------------------------------------------- unwanted ---------- */

/* The body of what is refused by its head is thrown away, and the connection lives on. */
START_TEST(test_thrown_away)
{
    static const char *const inputs[] = {
        POST("/none", "Content-Length: 12\r\n") "012345", "678901" NEXT,
        POST("/none", "Transfer-Encoding: chunked\r\n") "6\r\n012345\r\n",
        "6\r\n678901\r\n0\r\n\r\n" NEXT,
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i += 2) {
        reeve_conn *conn = begin(false);
        const struct http_conn *c = reeve_state(conn);
        feed(conn, inputs[i]);
        ck_assert_str_eq(fake_output(conn, NULL), "");
        ck_assert_uint_eq(c->request->body.length, 0);
        ck_assert_uint_eq(c->request->body_taken, 6);
        feed(conn, inputs[i + 1]);
        const char *output = fake_output(conn, NULL);
        ck_assert_int_eq(strncmp(output, "HTTP/1.1 404 ", 13), 0);
        ck_assert_str_eq(output + strlen(output) - strlen(NEXT_ANSWER), NEXT_ANSWER);
        ck_assert(!fake_lingers(conn));
        fake_close(&conn);
    }
}
END_TEST

/* But not without end: what is beyond body_limit ends the connection. */
START_TEST(test_not_thrown_away)
{
    static const char *const inputs[] = {
        POST("/none", "Content-Length: 21\r\n"),
        POST("/none", "Transfer-Encoding: chunked\r\n") "10\r\n0123456789abcdef\r\n5\r\n0",
        POST("/none", "Transfer-Encoding: chunked\r\n") "15\r\n0",
        POST("/none", "Expect: 100-continue\r\nContent-Length: 3\r\n"),
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        reeve_conn *conn = begin(false);
        feed(conn, inputs[i]);
        ck_assert_int_eq(strncmp(fake_output(conn, NULL), "HTTP/1.1 404 ", 13), 0);
        ck_assert_ptr_nonnull(strstr(fake_output(conn, NULL), "\r\nConnection: close\r\n"));
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        ck_assert(fake_lingers(conn));
        fake_close(&conn);
    }
}
END_TEST

/* ---------------------------------------------------------------- ends -------------- */

START_TEST(test_client_leaves)
{
    for (int blocking = 0; blocking <= 1; blocking++) {
        const char *half = blocking ? POST("/p", "Content-Length: 8\r\n") "0123"
                                    : POST("/r", "Content-Length: 8\r\n") "0123";
        reeve_conn *conn = begin(blocking);
        feed(conn, half);
        ck_assert_int_eq(seen.over, 0);
        fake_end(conn);
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        fake_close(&conn);
        ck_assert_int_eq(seen.over, 1);
        ck_assert_str_eq(seen.text, "0123");
        ck_assert_int_eq(seen.handled, 0);
    }
}
END_TEST

/* The connection ends while a piece waits for the pool. */
START_TEST(test_client_leaves_in_a_job)
{
    reeve_conn *conn = begin(true);
    feed(conn, POST("/p", "Content-Length: 8\r\n") "01");
    fake_pool = FAKE_DEFERRED;
    feed(conn, "23");
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert_int_eq(seen.over, 0);
    fake_close(&conn);
    ck_assert_int_eq(seen.over, 1);
    ck_assert_str_eq(seen.text, "01");
}
END_TEST

START_TEST(test_pool_is_full)
{
    for (int asked = 0; asked <= 1; asked++) {
        reeve_conn *conn = begin(true);
        fake_pool = asked ? FAKE_INLINE : FAKE_FULL;
        feed(conn, POST("/p", "Content-Length: 8\r\n"));
        fake_pool = FAKE_FULL;
        feed(conn, "0123");
        const char *output = fake_output(conn, NULL);
        ck_assert_int_eq(strncmp(output, "HTTP/1.1 503 ", 13), 0);
        ck_assert_ptr_nonnull(strstr(output, "Retry-After: 1\r\n"));
        ck_assert_ptr_nonnull(strstr(output, "Connection: close\r\n"));
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        ck_assert(fake_lingers(conn));
        ck_assert_int_eq(seen.over, asked);
        fake_close(&conn);
    }
}
END_TEST

/* ---------------------------------------------------------------- time -------------- */

START_TEST(test_body_rate)
{
    for (int blocking = 0; blocking <= 1; blocking++) {
        reeve_conn *conn = begin(blocking);
        feed(conn, blocking ? POST("/p", "Content-Length: 100000\r\n")
                            : POST("/r", "Content-Length: 100000\r\n"));
        ck_assert_int_eq(fake_deadline(conn), 30000);
        fake_seconds += 10;
        feed(conn, "x"); /* 10 ms of credit */
        ck_assert_int_eq(fake_deadline(conn), 20010);
        for (int i = 0; i < 99; i++)
            feed(conn, "y");
        ck_assert_int_eq(fake_deadline(conn), 21000);
        fake_seconds += 20;
        static const char many[50001];
        fake_feed(conn, many, 500); /* 5 s */
        ck_assert_int_eq(fake_deadline(conn), 6000);
        fake_feed(conn, many, 50000); /* 500 s, but not so many at once */
        ck_assert_int_eq(fake_deadline(conn), 30000);
        fake_expire(conn);
        ck_assert_int_eq(strncmp(fake_output(conn, NULL), "HTTP/1.1 408 ", 13), 0);
        ck_assert(fake_lingers(conn));
        ck_assert_int_eq(seen.over, 1);
        fake_close(&conn);
    }
}
END_TEST

/* A handler that takes its time takes none of the client's. */
START_TEST(test_body_rate_of_jobs)
{
    reeve_conn *conn = begin(true);
    feed(conn, POST("/p", "Content-Length: 1000\r\n"));
    fake_seconds += 10;
    fake_pool = FAKE_DEFERRED;
    feed(conn, "x");
    ck_assert_int_eq(fake_deadline(conn), 0);
    fake_seconds += 1000;
    fake_run_jobs(conn, true);
    ck_assert_int_eq(fake_deadline(conn), 20010);
    fake_close(&conn);
}
END_TEST

START_TEST(test_no_body_rate)
{
    settings.body_rate = 0;
    reeve_conn *conn = begin(false);
    feed(conn, POST("/r", "Content-Length: 1000\r\n"));
    for (int i = 0; i < 10; i++) {
        fake_seconds += 29;
        feed(conn, "x");
        ck_assert_int_eq(fake_deadline(conn), 30000);
    }
    fake_close(&conn);
}
END_TEST

UNIT_MAIN_AROUND("http-receive", set_up, own_site_close, ONCE(rfc9112_6_bodies_in_pieces),
                 ONCE(test_large), ONCE(test_one_piece_at_a_time), ONCE(rfc9110_10_1_1_expect),
                 ONCE(test_older_handler), ONCE(test_early_answers), ONCE(test_early_stream),
                 ONCE(test_failure), ONCE(test_fields_of_receive), ONCE(rfc9112_7_1_malformed),
                 ONCE(test_length_beyond_counting), ONCE(test_thrown_away),
                 ONCE(test_not_thrown_away), ONCE(test_client_leaves),
                 ONCE(test_client_leaves_in_a_job), ONCE(test_pool_is_full),
                 ONCE(test_body_rate), ONCE(test_body_rate_of_jobs), ONCE(test_no_body_rate))
