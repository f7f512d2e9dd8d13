/* Who may ask: the whole http module over a stand-in for the engine, with guarded routes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../modules/http/conn.h"
#include "../../modules/http/settings.h"
#include "fake-reeve.h"
#include "temp.h"
#include "unit.h"

extern const reeve_module reeve_module_descriptor;

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HELLO "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"                           \
    "Content-Length: 6\r\n\r\nhello\n"
#define CHALLENGE "WWW-Authenticate: Basic realm=\"site\", charset=\"UTF-8\"\r\n"
#define ALICE "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n"
#define WRONG "Authorization: Basic YWxpY2U6d29uZGVybGFu\r\n"

static int hello(reeve_request *request, void *config)
{
    (void)config;
    return reeve_reply(request, 200, "text/plain", "hello\n", 6);
}

static const reeve_handler handler = {.protocol = "http", .handle = hello};
static const reeve_handler blocking = {.protocol = "http", .blocking = true, .handle = hello};
static const reeve_section options;

static const char *const nobody[] = {"192.0.2.0/24"};
static const struct fake_value in_values[] = {{.name = "auth_realm", .text = ""},
                                              {.name = "auth_file", .text = ""}, {0}};
static const struct fake_value open_values[] = {{.name = "auth_realm", .text = ""},
                                                {.name = "auth_file", .text = "off"}, {0}};
static const struct fake_value other_values[] = {{.name = "auth_realm", .text = "other"},
                                                 {.name = "auth_file", .text = ""}, {0}};
static const struct fake_value shut_values[] = {
    {.name = "auth_realm", .text = ""}, {.name = "auth_file", .text = ""},
    {.name = "deny", .items = nobody, .count = 1}, {0}};
static const reeve_section routes[] = {
    {.title = "/in", .handler = &handler, .options = &options, .values = in_values},
    {.title = "/b/in", .handler = &blocking, .options = &options, .values = in_values},
    {.title = "/open", .handler = &handler, .options = &options, .values = open_values},
    {.title = "/other", .handler = &handler, .options = &options, .values = other_values},
    {.title = "/shut", .handler = &handler, .options = &options, .values = shut_values},
};

static char file[128], page[160];
static const char *const page_list[] = {page};
static struct fake_value site_values[8];
static reeve_section site = {.title = "site", .values = site_values};

static int read_settings(unsigned auth_limit)
{
    struct fake_value values[] = {
        {.name = "line_limit", .number = 1000},  {.name = "header_limit", .number = 3000},
        {.name = "header_count", .number = 9},   {.name = "body_limit", .number = 20},
        {.name = "keepalive_timeout", .number = 15000}, {.name = "header_timeout", .number = 20000},
        {.name = "body_timeout", .number = 30000}, {.name = "auth_limit", .number = auth_limit},
        {.name = "access_log", .text = "log"},   {.name = "site", .sections = &site, .count = 1},
        {0}};
    reeve_section section = {.values = values};
    settings_free();
    return settings_read(&section);
}

static void set_up(void)
{
    temp_make();
    snprintf(file, sizeof file, "%s", temp_path("users"));
    temp_write(file, "alice:$2y$04$SPEtHOM3p2.UFlBhV4UtAeJYaVQ409pHsV001YFtxiEjx/ngbGkD.\n");
    snprintf(page, sizeof page, "403 %s", temp_path("403.txt"));
    temp_write(temp_path("403.txt"), "go away\n");
    const struct fake_value values[] = {
        {.name = "route", .sections = routes, .count = sizeof routes / sizeof *routes},
        {.name = "auth_realm", .text = ""}, {.name = "auth_file", .text = file},
        {.name = "error_page", .items = page_list, .count = 1},
        {.name = "access_log", .text = "inherit"}, {0}};
    memcpy(site_values, values, sizeof values);
    ck_assert_msg(read_settings(2) == 0, "%s", fake_error);
}

static void tear_down(void)
{
    request_thread_exit();
    settings_free();
    temp_remove();
}

static reeve_conn *ask(const char *target, const char *fields)
{
    char text[512];
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, fields);
    fake_feed(conn, text, (size_t)n);
    return conn;
}

static void check_status(reeve_conn *conn, const char *status)
{
    const char *output = fake_output(conn, NULL);
    ck_assert_msg(strncmp(output + 9, status, 3) == 0, "%s", output);
    ck_assert_int_eq(fake_busy(conn), 0);
}

static void expect(const char *target, const char *fields, const char *status)
{
    reeve_conn *conn = ask(target, fields);
    check_status(conn, status);
    fake_close(&conn);
}

START_TEST(test_challenge)
{
    reeve_conn *conn = ask("/in", "");
    check_status(conn, "401");
    ck_assert_ptr_nonnull(strstr(fake_output(conn, NULL), CHALLENGE));
    ck_assert_int_eq(fake_verdict(conn), REEVE_WANT_READ);
    fake_close(&conn);
    conn = ask("/other", WRONG);
    check_status(conn, "401");
    ck_assert_ptr_nonnull(strstr(fake_output(conn, NULL), "realm=\"other\""));
    fake_close(&conn);
    expect("/in", ALICE ALICE, "401"); /* two lines are no credentials, whoever reads which */
    expect("/in", ALICE "Authorization:\r\n", "401");
    expect("/open", "", "200");
    expect("/open", WRONG, "200");
    expect("/none", "", "404");
}
END_TEST

/* A password is checked once, then known; a wrong one is checked each time. */
START_TEST(test_known_password)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *conn = ask("/in", ALICE);
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    ck_assert_int_eq(fake_deadline(conn), 0);
    fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), HELLO);
    fake_close(&conn);
    ck_assert_ptr_nonnull(strstr(fake_access, "192.0.2.1 - alice ["));
    expect("/in", ALICE, "200");
    expect("/other", ALICE, "200");
    for (int i = 0; i < 2; i++) {
        conn = ask("/in", WRONG);
        ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
        fake_run_jobs(conn, true);
        check_status(conn, "401");
        fake_close(&conn);
        ck_assert_ptr_nonnull(strstr(fake_log, "3 auth-failed: client 192.0.2.1"));
    }
    conn = ask("/in", "Authorization: Basic eDp3b25kZXJsYW5k\r\n"); /* x, and alice's password */
    fake_run_jobs(conn, true);
    check_status(conn, "401");
    fake_close(&conn);
    conn = ask("/b/in", ALICE); /* the one job is the handler's */
    ck_assert_int_eq(fake_verdict(conn), REEVE_JOB);
    fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), HELLO);
    fake_close(&conn);
}
END_TEST

START_TEST(test_body_after_password)
{
    fake_pool = FAKE_DEFERRED;
    static const char head[] = "POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" ALICE
                               "Expect: 100-continue\r\n\r\n";
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    fake_feed(conn, head, sizeof head - 1);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    fake_run_jobs(conn, true);
    ck_assert_str_eq(fake_output(conn, NULL), "HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_int_eq(fake_deadline(conn), 30000);
    fake_feed(conn, "abc", 3);
    ck_assert_str_eq(fake_output(conn, NULL), "HTTP/1.1 100 Continue\r\n\r\n" HELLO);
    fake_close(&conn);
}
END_TEST

/* The same bytes come back however the request is split, with a password that is not known yet and
 * one that is. */
START_TEST(test_split)
{
    static const char input[] = "GET /in HTTP/1.1\r\nHost: a\r\n" ALICE "\r\n"
                                "POST /b/in HTTP/1.1\r\nHost: a\r\n" ALICE
                                "Content-Length: 3\r\n\r\nabc"
                                "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t split = 0; split < sizeof input; split++) {
        ck_assert_int_eq(read_settings(2), 0);
        fake_access[0] = '\0';
        for (int again = 0; again < 2; again++) {
            reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
            fake_feed(conn, input, split);
            fake_feed(conn, input + split, sizeof input - 1 - split);
            ck_assert_str_eq(fake_output(conn, NULL), HELLO HELLO HELLO);
            ck_assert_int_eq(fake_busy(conn), 0);
            fake_close(&conn);
        }
    }
}
END_TEST

START_TEST(test_limit)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *first = ask("/in", ALICE), *second = ask("/in", WRONG);
    reeve_conn *third = ask("/in", ALICE);
    check_status(third, "503");
    ck_assert_ptr_nonnull(strstr(fake_output(third, NULL), "Retry-After: 1\r\n"));
    ck_assert_ptr_null(strstr(fake_output(third, NULL), "WWW-Authenticate"));
    fake_close(&third);
    expect("/in", "", "401");
    fake_run_jobs(first, true);
    fake_close(&second); /* skips its job */
    check_status(first, "200");
    fake_close(&first);
    for (int i = 0; i < 5; i++) { /* nothing is left in hand */
        first = ask("/in", WRONG);
        ck_assert_int_eq(fake_verdict(first), REEVE_JOB);
        fake_run_jobs(first, true);
        check_status(first, "401");
        fake_close(&first);
    }
    fake_pool = FAKE_FULL;
    for (int i = 0; i < 5; i++)
        expect("/in", WRONG, "503");
    expect("/in", ALICE, "200");
}
END_TEST

/* Two ask with the same password at once: the second finds it known. */
START_TEST(test_proven_meanwhile)
{
    fake_pool = FAKE_DEFERRED;
    reeve_conn *first = ask("/in", ALICE), *second = ask("/in", ALICE);
    fake_run_jobs(first, true);
    fake_run_jobs(second, true);
    check_status(first, "200");
    check_status(second, "200");
    fake_close(&first);
    fake_close(&second);
}
END_TEST

START_TEST(test_denied)
{
    reeve_conn *conn = ask("/shut", ALICE);
    check_status(conn, "403");
    const char *output = fake_output(conn, NULL);
    ck_assert_ptr_nonnull(strstr(output, "Content-Type: text/plain; charset=utf-8\r\n"
                                         "Content-Length: 8\r\n\r\ngo away\n"));
    ck_assert_str_eq(fake_log, "3 access-denied: client 192.0.2.1 may not ask for route /shut of "
                               "site site");
    ck_assert_ptr_nonnull(strstr(fake_access, "192.0.2.1 - - ["));
    fake_close(&conn);
}
END_TEST

static const struct {
    const char *option, *value, *wrong;
} mistakes[] = {
    {"auth_realm", "a \"b\"", "auth_realm: \"a \"b\"\" cannot be sent"},
    {"auth_realm", "a\nb", "cannot be sent"},
    {"auth_file", "", "auth_realm: the realm \"x\" has no users: add auth_file"},
    {"error_page", "404", "error_page: \"404\" is no page for an error"},
    {"error_page", "404/x.html", "is no page for an error"},
    {"error_page", "404 x.html", "is no page for an error"},
    {"error_page", "200 /x.html", "is no page for an error"},
    {"error_page", "444 /x.html", "444 is no status of an error"},
    {"error_page", "404 /x.png", "the type of \"/x.png\" is not known"},
    {"error_page", "404 /no/such/x.html", "cannot read \"/no/such/x.html\": No such file"},
    {"error_page", "404 /dev/null/x.html", "Not a directory"},
};

START_TEST(test_mistakes)
{
    for (struct fake_value *value = site_values; value->name != NULL; value++) {
        if (strcmp(value->name, "auth_realm") == 0)
            value->text = "x";
        if (strcmp(value->name, mistakes[_i].option) != 0)
            continue;
        value->text = mistakes[_i].value;
        value->items = &mistakes[_i].value;
    }
    ck_assert_int_eq(read_settings(2), -1);
    ck_assert_msg(strstr(fake_error, mistakes[_i].wrong) != NULL, "%s", fake_error);
}
END_TEST

UNIT_MAIN_AROUND("http-asking", set_up, tear_down, ONCE(test_challenge), ONCE(test_known_password),
                 ONCE(test_body_after_password), ONCE(test_split), ONCE(test_limit),
                 ONCE(test_proven_meanwhile), ONCE(test_denied), EACH(test_mistakes, mistakes))
