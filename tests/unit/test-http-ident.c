/* The ids of requests, as handlers, clients and logs are told them: the whole http module over a
 * stand-in for the engine. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

static bool no_randomness;
static int draws;

ssize_t __real_getrandom(void *data, size_t length, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t length, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t length, unsigned flags)
{
    draws++;
    return no_randomness ? -1 : __real_getrandom(data, length, flags);
}

/* ---------------------------------------------------------------- the site ---------- */

static int tell_id(reeve_request *request, void *config)
{
    (void)config;
    const char *id = reeve_request_id(request);
    ck_assert_ptr_eq(reeve_request_id(request), id);
    return reeve_reply(request, 200, "text/plain", id, strlen(id));
}

static void *ask_id(void *request)
{
    return strdup(reeve_request_id(request));
}

/* The id as two threads are told it: first one that nobody has prepared, then this one. */
static int tell_id_of_thread(reeve_request *request, void *config)
{
    pthread_t thread;
    void *other;
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_id, request), 0);
    ck_assert_int_eq(pthread_join(thread, &other), 0);
    ck_assert_str_eq(other, reeve_request_id(request));
    free(other);
    return tell_id(request, config);
}

static int silent(reeve_request *request, void *config)
{
    (void)config;
    reeve_set_header(request, "X-Lost", "1");
    return 0;
}

static const struct own_route routes[] = {
    {"/id", {.protocol = "http", .handle = tell_id}, NULL},
    {"/thread", {.protocol = "http", .handle = tell_id_of_thread}, NULL},
    {"/pool/thread", {.protocol = "http", .blocking = true, .handle = tell_id_of_thread}, NULL},
    {"/silent", {.protocol = "http", .handle = silent}, NULL},
};

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 1000}, {.name = "header_limit", .number = 1000},
    {.name = "header_count", .number = 10}, {.name = "access_log", .text = "log"},
    {.name = NULL},
};

static void set_up(void)
{
    own_site_open(routes, sizeof routes / sizeof *routes, values);
}

/* A client that has asked for `target`, with these fields, each "Name: value\r\n". */
static reeve_conn *ask(const char *target, const char *fields)
{
    char input[1024];
    reeve_conn *conn = own_site_connect();
    int n = snprintf(input, sizeof input, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target,
                     fields);
    fake_feed(conn, input, (size_t)n);
    return conn;
}

/* ---------------------------------------------------------------- tests ------------- */

/* Neither the option request_id nor a log asks for ids; in whatever thread; without random bits. */
START_TEST(every_request_has_an_id)
{
    char first[33] = "";
    no_randomness = _i == 1;
    ck_assert_ptr_null(settings.request_id);
    ck_assert(!settings.timed);
    for (int i = 0; i < 2; i++) {
        fake_log[0] = '\0';
        reeve_conn *conn = ask(i == 0 ? "/thread" : "/pool/thread", "");
        const char *id = strstr(fake_output(conn, NULL), "\r\n\r\n") + 4;
        ck_assert_uint_eq(strlen(id), 32);
        ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
        ck_assert_str_ne(id, first);
        memcpy(first, id, 33);
        ck_assert_int_eq(strstr(fake_log, "no-randomness") != NULL, no_randomness);
        fake_close(&conn);
    }
}
END_TEST

/* A system call for a thread, not for a request. */
START_TEST(ids_are_drawn_once)
{
    for (int i = 0; i < 3; i++) {
        reeve_conn *conn = ask("/id", "");
        ck_assert_ptr_nonnull(strstr(fake_output(conn, NULL), "Content-Length: 32\r\n"));
        fake_close(&conn);
    }
    ck_assert_int_eq(draws, 1);
}
END_TEST

/* The id in the answer to a request with this field. */
static const char *id_for(const char *field, char *room)
{
    reeve_conn *conn = ask("/none", field);
    const char *at = strstr(fake_output(conn, NULL), "\r\nX-Id: ");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, "\r\nX-Id: %255s\r\n", room), 1);
    fake_close(&conn);
    return room;
}

START_TEST(client_and_server_agree)
{
    char first[256], second[256], taken[256], longest[200];
    settings.request_id = "X-Id";
    id_for("", first);
    id_for("", second);
    ck_assert_uint_eq(strlen(first), 32);
    ck_assert_uint_eq(strspn(first, "0123456789abcdef"), 32);
    ck_assert_str_ne(first, second);
    ck_assert_str_eq(id_for("X-ID: a-Token.1\r\n", taken), "a-Token.1");
    snprintf(longest, sizeof longest, "x-id: %0128d\r\n", 7);
    ck_assert_uint_eq(strlen(id_for(longest, taken)), 128);
    snprintf(longest, sizeof longest, "x-id: %0129d\r\n", 7);
    ck_assert_uint_eq(strlen(id_for(longest, taken)), 32);
    ck_assert_uint_eq(strspn(id_for("X-Id: a b\r\n", taken), "0123456789abcdef"), 32);
    ck_assert_uint_eq(strspn(id_for("X-Id:\r\n", taken), "0123456789abcdef"), 32);
    ck_assert_uint_eq(strspn(id_for("X-Id: {}\r\n", taken), "0123456789abcdef"), 32);
}
END_TEST

/* The log tells the id that the client was told, also with an error; no handler sets another. */
START_TEST(logged_as_told)
{
    char id[256], wanted[300];
    settings.request_id = "X-Lost"; /* the handler tries to set it */
    settings.sites[0].access.format = ACCESS_JSON;
    settings.timed = true;
    reeve_conn *conn = ask("/silent", "");
    const char *at = strstr(fake_output(conn, NULL), "\r\nX-Lost: ");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, "\r\nX-Lost: %255s\r\n", id), 1);
    ck_assert_uint_eq(strlen(id), 32);
    ck_assert_ptr_null(strstr(at + 10, "X-Lost"));
    snprintf(wanted, sizeof wanted, "\"request_id\":\"%s\",", id);
    ck_assert_ptr_nonnull(strstr(fake_access, wanted));
    fake_close(&conn);
}
END_TEST

UNIT_MAIN_AROUND("http-ident", set_up, own_site_close, TIMES(every_request_has_an_id, 2),
                 ONCE(ids_are_drawn_once), ONCE(client_and_server_agree), ONCE(logged_as_told))
