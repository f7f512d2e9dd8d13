/* What a handler does of its request, rightly and wrongly, in the loop and in the pool: the whole
 * http module over a stand-in for the engine. The handler does what the query says. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/request.h"
#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define OK "HTTP/1.1 200 OK\r\n" DATE
#define ONE "Content-Type: text/plain\r\nContent-Length: 3\r\n"
#define HINTS "HTTP/1.1 103 Early Hints\r\n"

/* ---------------------------------------------------------------- the handler ------- */

/* A script is a run of letters, each a call that must return 0, or -1 where "!" stands before it.
 * The handler returns what its last call did, or as "0" or "-" say. What follows ";" is for the
 * second call of the handler, what follows "," for each call of more(). */
static int passes, more_calls;
static bool may_wait[2], more_may_wait;
static char *kept;
static reeve_request *later;

static int more(reeve_request *request, void *arg);

/* It takes the descriptor over, whatever it returns. */
static int reply_file(reeve_request *request)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    int result = reeve_reply_file(request, 200, NULL, fd, 0, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) != -1, result == 0);
    return result;
}

/* What handlers pass on when something of theirs has failed: all of it is refused. */
static int say_nonsense(reeve_request *request)
{
    const size_t huge[] = {SIZE_MAX, SIZE_MAX - 600, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(reeve_reply(request, 200, NULL, "x", huge[i]), -1);
        ck_assert_ptr_null(reeve_prepare(request, 200, NULL, "x", huge[i]));
    }
    ck_assert_ptr_null(reeve_prepare(request, 200, NULL, "x", PTRDIFF_MAX));
    ck_assert_int_eq(reeve_reply(request, 200, NULL, NULL, 5), -1);
    ck_assert_ptr_null(reeve_prepare(request, 200, NULL, NULL, 5));
    ck_assert_ptr_null(reeve_prepare_file(request, 200, NULL, -1, 0, 5));
    ck_assert_int_eq(reeve_reply_file(request, 200, NULL, -1, 0, 5), -1);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(reeve_reply_file(request, 200, NULL, fd, -5, 5), -1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* taken over all the same */
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(reeve_reply_file(request, 200, NULL, fd, 5, INT64_MAX - 4), -1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(reeve_set_header(request, "X-None", NULL), -1);
    ck_assert_int_eq(reeve_set_header(request, NULL, "x"), -1);
    ck_assert_int_eq(reeve_set_trailer(request, NULL, "x"), -1);
    return reeve_set_trailer(request, "X-None", NULL);
}

static int do_one(reeve_request *request, char what, const char *script)
{
    switch (what) {
    case 'a':
        return reeve_again(request);
    case 'd':
        later = request;
        return reeve_defer(request);
    case 'F':
        return reply_file(request);
    case 'h':
        return reeve_set_header(request, "X-Pass", passes == 1 ? "1" : "2");
    case 'i':
        return reeve_interim(request, 103);
    case 'k':
        kept = strcpy(reeve_alloc(request, 5), "kept");
        return 0;
    case 'K':
        return strcmp(kept, "kept");
    case 'n':
        return say_nonsense(request);
    case 'p':
        return reeve_reply(request, 200, "text/plain", "one", 3);
    case 's':
        return reeve_reply_stream(request, 200, NULL, REEVE_UNKNOWN_LENGTH, more, NULL,
                                  (void *)script);
    case 't':
        return reeve_set_trailer(request, "X-Sum", more_calls > 0 ? "2" : "1");
    case 'f':
        reeve_finish(request);
        return 0;
    case 'W':
        return reeve_is_wanted(request) ? 0 : -1;
    case 'w':
        return reeve_write(request, "two", 3);
    case '9':
        return reeve_reply_status(request, 299);
    default:
        ck_abort_msg("%c is no call", what);
    }
}

static int run_script(reeve_request *request, const char *script, size_t length)
{
    int result = 0, wanted = 0;
    for (size_t i = 0; i < length; i++) {
        if (script[i] == '!')
            wanted = -1;
        else if (script[i] == '0' || script[i] == '-')
            result = script[i] == '0' ? 0 : -1;
        else {
            result = do_one(request, script[i], script);
            ck_assert_msg(result == wanted, "call %zu of \"%s\" returned %d", i, script, result);
            wanted = 0;
        }
    }
    return result;
}

static int more(reeve_request *request, void *arg)
{
    const char *script = strchr(arg, ',');
    more_calls++;
    more_may_wait = reeve_may_wait(request);
    return script != NULL ? run_script(request, script + 1, strlen(script + 1)) : 0;
}

static int handle(reeve_request *request, void *config)
{
    (void)config;
    const char *script = reeve_query(request);
    ck_assert_int_lt(passes, 2);
    may_wait[passes++] = reeve_may_wait(request);
    if (passes == 2 && strchr(script, ';') != NULL)
        script = strchr(script, ';') + 1;
    return run_script(request, script, strcspn(script, ";,"));
}

/* ---------------------------------------------------------------- around ------------ */

static const struct own_route routes[] = {
    {"/loop", {.protocol = "http", .handle = handle}, NULL},
    {"/pool", {.protocol = "http", .blocking = true, .handle = handle}, NULL},
};

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 1000}, {.name = "header_limit", .number = 1000},
    {.name = "header_count", .number = 50}, {.name = "body_limit", .number = 100},
    {.name = NULL},
};

static void set_up(void)
{
    own_site_open(routes, sizeof routes / sizeof *routes, values);
}

/* A request for `target`, with a version of HTTP/1. */
static reeve_conn *ask(const char *target, int minor)
{
    char input[1000];
    reeve_conn *conn = own_site_connect();
    int n = snprintf(input, sizeof input, "GET %s HTTP/1.%d\r\nHost: a\r\n\r\n", target, minor);
    passes = more_calls = 0;
    fake_log[0] = '\0';
    fake_feed(conn, input, (size_t)n);
    return conn;
}

/* All that is sent upon it. */
static void expect(const char *target, int minor, const char *wanted)
{
    reeve_conn *conn = ask(target, minor);
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    ck_assert_int_eq(fake_busy(conn), 0);
    fake_close(&conn);
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    while ((text = strstr(text, word)) != NULL) {
        text += strlen(word);
        count++;
    }
    return count;
}

/* ---------------------------------------------------------------- again ------------- */

START_TEST(asked_again_in_the_pool)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask("/loop?hka;hKp", 1); /* memory stays, the field does not */
    ck_assert_int_eq(passes, 1);
    ck_assert(!may_wait[0]);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert_int_eq(fake_deadline(conn), 0);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    fake_run_jobs(conn, true);
    ck_assert_int_eq(passes, 2);
    ck_assert(may_wait[1]);
    ck_assert_str_eq(fake_output(conn, NULL), OK ONE "X-Pass: 2\r\n\r\none");
    ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
    ck_assert_str_eq(fake_log, "");
    fake_close(&conn);
}
END_TEST

/* The stream that the second call begins runs where it may wait, one that the first begins not. */
START_TEST(its_stream_runs_in_the_pool)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask("/loop?a;s,w0", 1);
    fake_run_jobs(conn, true);
    ck_assert_int_eq(more_calls, 0);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    fake_run_jobs(conn, true);
    ck_assert_int_eq(more_calls, 1);
    ck_assert(more_may_wait);
    ck_assert_str_eq(fake_output(conn, NULL),
                     OK "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n");
    fake_close(&conn);
    conn = ask("/loop?s,w0", 1);
    ck_assert_int_eq(more_calls, 1);
    ck_assert(!more_may_wait);
    fake_close(&conn);
}
END_TEST

START_TEST(the_pool_is_full)
{
    fake_pool = FAKE_FULL;
    reeve_conn *conn = ask("/loop?ha;p", 1);
    const char *output = fake_output(conn, NULL);
    ck_assert_msg(strncmp(output, "HTTP/1.1 503 ", 13) == 0, "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "\r\nRetry-After: 1\r\n"));
    ck_assert_ptr_null(strstr(output, "X-Pass"));
    ck_assert_int_eq(passes, 1);
    ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
    fake_close(&conn);
}
END_TEST

/* The engine has skipped the job, and the client is there. */
START_TEST(it_has_waited_too_long)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask("/loop?ha;p", 1);
    fake_run_jobs(conn, false);
    const char *output = fake_output(conn, NULL);
    ck_assert_msg(strncmp(output, "HTTP/1.1 503 ", 13) == 0, "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "\r\nRetry-After: 1\r\n"));
    ck_assert_ptr_null(strstr(output, "X-Pass"));
    ck_assert_int_eq(passes, 1);
    ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
    fake_close(&conn);
}
END_TEST

START_TEST(the_client_goes_before_it_is_asked_again)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask("/loop?a;p", 1);
    fake_go(conn);
    fake_run_jobs(conn, false);
    ck_assert_int_eq(passes, 1);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
    fake_close(&conn);
}
END_TEST

/* What is there leaves before the pool is asked, even if that answers at once. */
START_TEST(what_is_queued_does_not_wait)
{
    fake_pool = FAKE_FULL;
    reeve_conn *conn = own_site_connect();
    static const char input[] = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                                "GET /loop?a;p HTTP/1.1\r\nHost: a\r\n\r\n";
    fake_feed(conn, input, sizeof input - 1);
    ck_assert_int_eq(fake_flushes(conn), 2);
    ck_assert_int_eq(fake_requests(conn), 2);
    fake_close(&conn);
}
END_TEST

/* The job of the putting off is over when the stream begins. */
START_TEST(wanted_in_a_stream_that_came_later)
{
    static const char *const targets[] = {"/loop?d", "/pool?d"};
    reeve_conn *conn = ask(targets[_i], 1);
    ck_assert_int_eq(reeve_is_wanted(later), true);
    ck_assert_int_eq(do_one(later, 's', ",Ww0"), 0);
    reeve_finish(later);
    fake_run_jobs(conn, true);
    ck_assert_int_eq(more_calls, 1);
    ck_assert_str_eq(fake_output(conn, NULL),
                     OK "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n");
    fake_close(&conn);
}
END_TEST

/* ---------------------------------------------------------------- mistakes ---------- */

static const struct {
    const char *target;
    int status;
    const char *log; /* what the line says; NULL: there is none */
} mistakes[] = {
    {"/loop?p", 200, NULL},
    {"/loop?", 500, "returned 0 without an answer to GET /loop?"},
    {"/pool?", 500, "returned 0 without"},
    {"/loop?-", 500, "returned -1 without"},
    {"/pool?h-", 500, "returned -1 without"},
    {"/loop?!9", 500, "returned -1 without"},
    {"/loop?!w", 500, "without"},
    {"/loop?fp", 200, "finished a request that it had not put off"},
    {"/pool?fp", 200, "finished a request that it had not put off"},
    {"/loop?!n", 500, "returned -1 without"},
    {"/loop?!np", 200, NULL},
    {"/pool?!np", 200, NULL},
    {"/loop?p!p", 200, "returned -1 after an answer"},
    {"/pool?p!p", 200, "after an answer"},
    {"/loop?p-", 200, "after an answer"},
    {"/loop?p!h!t!i!d!w!s!9!F0", 200, NULL},
    {"/pool?p!h!t!i!d!w!s!9!F0", 200, NULL},
    /* asked again */
    {"/pool?!a", 500, "returned -1 without"},
    {"/loop?a;!a", 500, "returned -1 without"},
    {"/loop?a;", 500, "returned 0 without"},
    {"/loop?a;-", 500, "returned -1 without"},
    {"/loop?a;p!p", 200, "after an answer"},
    {"/loop?p!a", 200, "after an answer"},
    {"/loop?p!a0", 200, NULL},
    {"/loop?a!p", 500, "although it had asked to be asked again"},
    {"/loop?ha!h-", 500, "although it had asked to be asked again"},
    {"/loop?a!p!h!t!i!d!w!s!9!F!a0;hp", 200, NULL},
    /* in more() */
    {"/loop?s,!a!p!d!i!h!9!s!F0", 200, NULL},
    {"/pool?s,!a!p!d!i!h!9!s!F0", 200, NULL},
    {"/loop?a;s,!a!p!d!i!h!9!s!F0", 200, NULL},
};

/* Whatever it was, there is one answer, and the next request gets its own. */
START_TEST(one_answer)
{
    static const char next[] = "GET /loop?p HTTP/1.1\r\nHost: a\r\n\r\n";
    reeve_conn *conn = ask(mistakes[_i].target, 1);
    char start[32];
    snprintf(start, sizeof start, "HTTP/1.1 %d ", mistakes[_i].status);
    ck_assert_msg(strncmp(fake_output(conn, NULL), start, strlen(start)) == 0, "%s: %s",
                  mistakes[_i].target, fake_output(conn, NULL));
    if (mistakes[_i].status == 500)
        ck_assert_ptr_null(strstr(fake_output(conn, NULL), "X-Pass"));
    if (mistakes[_i].log == NULL) {
        ck_assert_str_eq(fake_log, "");
    } else {
        ck_assert_msg(strstr(fake_log, mistakes[_i].log) != NULL, "%s", fake_log);
        ck_assert_ptr_nonnull(strstr(fake_log, "handler-failed: handler handler of route /"));
    }
    passes = 0;
    fake_feed(conn, next, sizeof next - 1);
    ck_assert_uint_eq(count_of(fake_output(conn, NULL), "HTTP/1.1 "), 2);
    size_t length;
    const char *output = fake_output(conn, &length);
    ck_assert_str_eq(output + length - 3, "one");
    fake_close(&conn);
}
END_TEST

/* Put off, and then wrong. */
START_TEST(put_off_and_wrong)
{
    static const char *const targets[] = {"/loop?d-", "/loop?d!d", "/loop?d!a", "/pool?d-"};
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask(targets[_i], 1);
    if (_i == 3) { /* the pool's */
        ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
        fake_run_jobs(conn, true);
    }
    ck_assert_ptr_nonnull(strstr(fake_log, "returned -1 although it had put off its answer"));
    ck_assert_str_eq(fake_output(conn, NULL), "");
    ck_assert_int_eq(reeve_interim(later, 103), -1);
    ck_assert_int_eq(reeve_reply(later, 200, "text/plain", "one", 3), 0);
    ck_assert_int_eq(reeve_reply_status(later, 500), -1);
    reeve_finish(later);
    fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), OK ONE "\r\none");
    fake_close(&conn);
}
END_TEST

/* ---------------------------------------------------------------- interim ----------- */

/* RFC 9110, 15.2, and RFC 8297: the fields are the hints', and not again the answer's. */
START_TEST(rfc8297_early_hints)
{
    expect("/loop?hip", 1, HINTS "X-Pass: 1\r\n\r\n" OK ONE "\r\none");
    expect("/loop?hiip", 1, HINTS "X-Pass: 1\r\n\r\n" HINTS "\r\n" OK ONE "\r\none");
    expect("/loop?his,w0", 1, HINTS "X-Pass: 1\r\n\r\n" OK
           "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n");
    expect("/pool?h!ip", 1, OK ONE "X-Pass: 1\r\n\r\none");
    /* A client of HTTP/1.0 does not know of them. */
    expect("/loop?hip", 0, OK ONE "Connection: close\r\n\r\none");
}
END_TEST

START_TEST(hints_before_the_slow_part)
{
    static const char *const targets[] = {"/loop?hia;p", "/loop?hid"};
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask(targets[_i], 1);
    ck_assert_str_eq(fake_output(conn, NULL), HINTS "X-Pass: 1\r\n\r\n");
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    if (_i == 1) {
        ck_assert_int_eq(reeve_reply(later, 200, "text/plain", "one", 3), 0);
        reeve_finish(later);
    }
    fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), HINTS "X-Pass: 1\r\n\r\n" OK ONE "\r\none");
    fake_close(&conn);
}
END_TEST

static int statuses(reeve_request *request, void *config)
{
    static const struct {
        int status, result;
    } table[] = {{99, -1}, {100, 0}, {101, -1}, {102, 0}, {104, 0}, {199, 0}, {200, -1}, {0, -1}};
    (void)config;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ck_assert_int_eq(reeve_interim(request, table[i].status), table[i].result);
    fake_memory_left = 0;
    ck_assert_int_eq(reeve_interim(request, 103), -1);
    fake_memory_left = 1;
    return reeve_reply(request, 200, "text/plain", "one", 3);
}

static const reeve_handler statuses_handler = {.protocol = "http", .handle = statuses};

START_TEST(which_interim_answers)
{
    settings.sites[0].routes[0].handler = &statuses_handler;
    reeve_conn *conn = ask(settings.sites[0].routes[0].path, 1);
    ck_assert_str_eq(fake_output(conn, NULL),
                     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                     "HTTP/1.1 104 \r\n\r\nHTTP/1.1 199 \r\n\r\n" OK ONE "\r\none");
    fake_close(&conn);
}
END_TEST

/* ---------------------------------------------------------------- trailers ---------- */

#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n"

START_TEST(rfc9112_7_1_2_trailers)
{
    expect("/loop?ts,w0", 1, OK CHUNKED "X-Sum: 1\r\n\r\n");
    expect("/pool?ts,w0", 1, OK CHUNKED "X-Sum: 1\r\n\r\n");
    expect("/loop?st,tw0", 1, OK CHUNKED "X-Sum: 1\r\nX-Sum: 2\r\n\r\n");
    expect("/pool?st,tw0", 1, OK CHUNKED "X-Sum: 1\r\nX-Sum: 2\r\n\r\n");
    expect("/loop?a;s,wt0", 1, OK CHUNKED "X-Sum: 2\r\n\r\n");
    expect("/loop?ta;s,w0", 1, OK CHUNKED "\r\n");
    /* Where there is no place for them: */
    expect("/loop?tp", 1, OK ONE "\r\none");
    expect("/pool?tp", 1, OK ONE "\r\none");
    expect("/loop?ts,tw0", 0, OK "Connection: close\r\n\r\ntwo");
}
END_TEST

static int trailers(reeve_request *request, void *config)
{
    static const struct {
        const char *name, *value;
        int result;
    } table[] = {
        {"Server-Timing", "a;dur=1", 0}, {"Repr-Digest", "sha-256=:x:", 0}, {"ETag", "\"a\"", 0},
        {"X", "a\r\nEvil: 1", -1}, {"X Y", "a", -1}, {"", "a", -1}, {"x-ID", "a", -1},
        {"content-LENGTH", "1", -1}, {"Transfer-Encoding", "x", -1}, {"Trailer", "X", -1},
        {"Connection", "close", -1}, {"Host", "a", -1}, {"Content-Encoding", "gzip", -1},
        {"Content-Type", "a/b", -1}, {"Content-Range", "x", -1}, {"Set-Cookie", "a=1", -1},
        {"WWW-Authenticate", "Basic", -1}, {"Cache-Control", "no-store", -1}, {"Age", "1", -1},
        {"Location", "/", -1}, {"Retry-After", "1", -1}, {"Vary", "*", -1}, {"TE", "x", -1},
        {"Date", "x", -1}, {"Expires", "x", -1}, {"Authorization", "x", -1}};
    (void)config;
    settings.request_id = "X-Id";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ck_assert_msg(reeve_set_trailer(request, table[i].name, table[i].value) ==
                      table[i].result, "%s", table[i].name);
    settings.request_id = NULL;
    return reeve_reply_stream(request, 200, NULL, REEVE_UNKNOWN_LENGTH, more, NULL, (void *)",w0");
}

static const reeve_handler trailers_handler = {.protocol = "http", .handle = trailers};

START_TEST(rfc9110_6_5_1_which_trailers)
{
    settings.sites[0].routes[0].handler = &trailers_handler;
    expect(settings.sites[0].routes[0].path, 1,
           OK CHUNKED "Server-Timing: a;dur=1\r\nRepr-Digest: sha-256=:x:\r\nETag: \"a\"\r\n\r\n");
}
END_TEST

UNIT_MAIN_AROUND("http-handle", set_up, own_site_close, ONCE(asked_again_in_the_pool),
                 ONCE(its_stream_runs_in_the_pool), ONCE(the_pool_is_full),
                 ONCE(it_has_waited_too_long), ONCE(the_client_goes_before_it_is_asked_again),
                 ONCE(what_is_queued_does_not_wait), TIMES(wanted_in_a_stream_that_came_later, 2),
                 EACH(one_answer, mistakes), TIMES(put_off_and_wrong, 4),
                 ONCE(rfc8297_early_hints), TIMES(hints_before_the_slow_part, 2),
                 ONCE(which_interim_answers), ONCE(rfc9112_7_1_2_trailers),
                 ONCE(rfc9110_6_5_1_which_trailers))
