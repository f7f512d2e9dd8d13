/* Header fields that stand on several lines (RFC 9110, 5.3): what a handler sees of them, and what
 * the module itself makes of them. The whole http module over a stand-in for the engine. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/request.h"
#include "../../modules/http/settings.h"
#include "own-site.h"
#include "unit.h"

static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

/* The field X-List, asked for twice; "short" in the query: once more while memory is short. */
static int list(reeve_request *request, void *config)
{
    (void)config;
    no_memory = strcmp(reeve_query(request), "short") == 0;
    const char *value = reeve_header(request, "x-list");
    no_memory = false;
    if (value != NULL)
        ck_assert_ptr_eq(reeve_header(request, "X-LIST"), value);
    const char *said = value != NULL ? value : "(none)";
    return reeve_reply(request, 200, NULL, said, strlen(said));
}

/* Each line of what was sent, by another name than the one in between. */
static int cookie(reeve_request *request, void *config)
{
    (void)config;
    char text[200];
    const char *list = reeve_header(request, "x-list"), *jar = reeve_header(request, "Cookie");
    ck_assert_ptr_eq(reeve_header(request, "x-list"), list);
    int n = snprintf(text, sizeof text, "%s|%s", list, jar);
    return reeve_reply(request, 200, NULL, text, (size_t)n);
}

static int form(reeve_request *request, void *config)
{
    (void)config;
    const char *value = reeve_form_value(request, "a");
    return reeve_reply(request, 200, NULL, value != NULL ? value : "-", 1);
}

static const struct own_route routes[] = {
    {"/list", {.protocol = "http", .handle = list}, NULL},
    {"/pool/list", {.protocol = "http", .blocking = true, .handle = list}, NULL},
    {"/cookie", {.protocol = "http", .handle = cookie}, NULL},
    {"/form", {.protocol = "http", .handle = form}, NULL},
};

static const struct fake_value values[] = {
    {.name = "line_limit", .number = 1000}, {.name = "header_limit", .number = 10000},
    {.name = "header_count", .number = 50}, {.name = "body_limit", .number = 100},
    {.name = "access_log", .text = "log"},  {.name = "request_id", .text = "X-Id"},
    {.name = NULL},
};

static void set_up(void)
{
    own_site_open(routes, sizeof routes / sizeof *routes, values);
}

/* The body of the answer to `method` and `target` with these fields. */
static void expect(const char *start, const char *fields, const char *body, const char *wanted)
{
    char input[10000];
    reeve_conn *conn = own_site_connect();
    int n = snprintf(input, sizeof input, "%s HTTP/1.1\r\nHost: a\r\n%s\r\n%s", start, fields,
                     body);
    fake_feed(conn, input, (size_t)n);
    const char *output = fake_output(conn, NULL);
    ck_assert_msg(strncmp(output, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", output);
    ck_assert_str_eq(strstr(output, "\r\n\r\n") + 4, wanted);
    fake_close(&conn);
}

static const struct {
    const char *fields, *value;
} lists[] = {
    {"", "(none)"},
    {"X-List: a\r\n", "a"},
    {"X-List:\r\n", ""},
    {"X-List: a\r\nX-List: b\r\n", "a, b"},
    {"X-List: a\r\nX: x\r\nx-list:  b \r\nY: y\r\nX-LIST: c, d\r\n", "a, b, c, d"},
    {"X-Lists: x\r\nX-List: a\r\nY-List: y\r\n", "a"},
    {"X-List:\r\nX-List: a\r\nX-List:\r\n", ", a, "},
    {"X-List: \"a\r\nX-List: b\"\r\n", "\"a, b\""}, /* 5.3: whatever that means */
};

START_TEST(rfc9110_5_3_lines_are_a_list)
{
    expect("GET /list", lists[_i].fields, "", lists[_i].value);
    expect("GET /pool/list", lists[_i].fields, "", lists[_i].value);
}
END_TEST

START_TEST(many_lines)
{
    char fields[3000] = "", wanted[1000] = "";
    for (int i = 0; i < 49; i++) {
        sprintf(fields + strlen(fields), "X-List: %d\r\n", i);
        sprintf(wanted + strlen(wanted), "%s%d", i > 0 ? ", " : "", i);
    }
    expect("GET /list", fields, "", wanted);
}
END_TEST

START_TEST(memory_is_short)
{
    expect("GET /list?short", "X-List: a\r\n", "", "a");
    expect("GET /list?short", "X-List: a\r\nX-List: b\r\n", "", "(none)");
}
END_TEST

/* RFC 6265, 4.2.1: the pairs of cookies have a semicolon between them. */
START_TEST(several_names)
{
    expect("GET /cookie", "Cookie: a=1\r\nX-List: 1\r\ncookie: b=2; c=3\r\nX-List: 2\r\n", "",
           "1, 2|a=1; b=2; c=3");
}
END_TEST

/* What may stand there once only is malformed if it stands there twice. */
START_TEST(a_form_of_two_types)
{
    static const char type[] = "Content-Length: 3\r\nContent-Type: "
                               "application/x-www-form-urlencoded\r\n";
    char both[300];
    expect("POST /form", type, "a=1", "1");
    snprintf(both, sizeof both, "%sContent-Type: text/plain\r\n", type);
    expect("POST /form", both, "a=1", "-");
    snprintf(both, sizeof both, "Content-Type: text/plain\r\n%s", type);
    expect("POST /form", both, "a=1", "-");
}
END_TEST

static void expect_id(const char *fields, bool taken)
{
    char input[200];
    reeve_conn *conn = own_site_connect();
    int n = snprintf(input, sizeof input, "GET /list HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    fake_feed(conn, input, (size_t)n);
    ck_assert_int_eq(strstr(fake_output(conn, NULL), "\r\nX-Id: a\r\n") != NULL, taken);
    fake_close(&conn);
}

START_TEST(two_ids)
{
    expect_id("x-id: a\r\n", true);
    expect_id("x-id: a\r\nX-Id: b\r\n", false);
    expect_id("x-id: a\r\nX-Id: a\r\n", false);
    expect_id("x-id: a\r\nX-Id:\r\n", false);
}
END_TEST

/* The log tells all of it. */
START_TEST(logged)
{
    fake_access[0] = '\0';
    expect("GET /list", "Referer: a\r\nUser-Agent: u\r\nReferer: b\r\n", "", "(none)");
    ck_assert_ptr_nonnull(strstr(fake_access, "\"a, b\" \"u\"\n"));
}
END_TEST

UNIT_MAIN_AROUND("http-asked", set_up, own_site_close, EACH(rfc9110_5_3_lines_are_a_list, lists),
                 ONCE(many_lines), ONCE(memory_is_short), ONCE(several_names),
                 ONCE(a_form_of_two_types), ONCE(two_ids), ONCE(logged))
