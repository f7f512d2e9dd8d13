/* What RFC 9110 and RFC 9112 demand of an origin server, bytes in and bytes out: http and static
 * together, over a stand-in for the engine. Each test is named by its section. What a parser of one
 * field owes has its tests beside that parser; requests that are refused or split are in
 * tests/corpus/http. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../../modules/http/answer.h"
#include "../../modules/http/settings.h"
#include "fake-reeve.h"
#include "temp.h"
#include "unit.h"

extern const reeve_module reeve_module_descriptor;
extern const reeve_module static_descriptor; /* see libstatic in Makefile.am */

#define THEN 1700000000 /* when the files were changed */
#define THEN_TEXT "Tue, 14 Nov 2023 22:13:20 GMT"
#define NOW_TEXT "Fri, 20 Nov 2026 23:01:02 GMT"

/* ---------------------------------------------------------------- handlers ---------- */

static unsigned asked; /* calls of handlers */

/* "/status?404": its standard page; "/status?200": a text. */
static int status(reeve_request *request, void *config)
{
    (void)config;
    int code = atoi(reeve_query(request));
    asked++;
    return code == 200 ? reeve_reply(request, 200, "text/plain", "text", 4)
                       : reeve_reply_status(request, code);
}

static int piece(reeve_request *request, void *arg)
{
    (void)arg;
    return reeve_write(request, "piece", 5);
}

/* "/stream?204": pieces of unknown length, with that status; "/stream?205=5": of that length. */
static int stream(reeve_request *request, void *config)
{
    (void)config;
    const char *length = strchr(reeve_query(request), '=');
    return reeve_reply_stream(request, atoi(reeve_query(request)), "text/plain",
                              length != NULL ? strtoull(length + 1, NULL, 10)
                                             : REEVE_UNKNOWN_LENGTH,
                              piece, NULL, NULL);
}

/* "/interim": hints, and then the answer. */
static int interim(reeve_request *request, void *config)
{
    (void)config;
    ck_assert_int_eq(reeve_set_header(request, "Link", "</a>"), 0);
    ck_assert_int_eq(reeve_interim(request, 103), 0);
    return reeve_reply(request, 200, "text/plain", "text", 4);
}

/* "/field?X-Test": what the field says. */
static int field(reeve_request *request, void *config)
{
    (void)config;
    const char *value = reeve_header(request, reeve_query(request));
    char text[200];
    int n = snprintf(text, sizeof text, "[%s]", value != NULL ? value : "none");
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

static int no_options(const reeve_section *section, const char *route, void **config)
{
    (void)section;
    (void)route;
    *config = NULL;
    return 0;
}

static const reeve_handler own[] = {
    {"http", false, no_options, status},
    {"http", false, no_options, stream},
    {"http", false, no_options, field},
    {"http", false, no_options, interim},
};
static const char *const prefixes[] = {"/status", "/stream", "/field", "/interim"};
#define OWN (sizeof own / sizeof *own)

/* ---------------------------------------------------------------- a site ------------ */

static void put(const char *name, const char *text, time_t changed)
{
    const struct timespec times[2] = {{.tv_sec = changed}, {.tv_sec = changed}};
    temp_write(temp_path(name), text);
    ck_assert_int_eq(utimensat(AT_FDCWD, temp_path(name), times, 0), 0);
}

static void make_tree(void)
{
    temp_make();
    ck_assert_int_eq(mkdir(temp_path("sub"), 0755), 0);
    put("a.txt", "0123456789", THEN);
    put("page.html", "<p>", THEN);
    put("page.html.gz", "packed", THEN);
    put("later.txt", "later", THEN * 2l);
}

static void set_up(void)
{
    static const char *const codings[] = {"gzip"};
    static struct fake_value file_values[] = {
        {.name = "root", .text = temp_folder},
        {.name = "precompressed", .items = codings, .count = 1},
        {.name = "cache_control", .text = "max-age=60"},
        {.name = "fallback", .text = ""},
        {.name = "dotfiles", .text = "hide"},
        {.name = "default_type", .text = "application/octet-stream"},
        {.name = "charset", .text = "utf-8"},
        {.name = NULL},
    };
    static const reeve_section files = {.values = file_values}, nothing = {.title = NULL};
    static reeve_section routes[OWN + 1], site;
    static struct fake_value site_values[] = {
        {.name = "route", .sections = routes, .count = OWN + 1}, {.name = NULL}};
    static struct fake_value values[] = {
        {.name = "line_limit", .number = 200},   {.name = "header_limit", .number = 500},
        {.name = "header_count", .number = 10},  {.name = "body_limit", .number = 100},
        {.name = "access_log", .text = ""},      {.name = "site", .sections = &site, .count = 1},
        {.name = NULL},
    };
    make_tree();
    routes[0] = (reeve_section){.title = "/", .handler = static_descriptor.handler,
                                .options = &files};
    for (size_t i = 0; i < OWN; i++)
        routes[i + 1] = (reeve_section){.title = prefixes[i], .handler = &own[i],
                                        .options = &nothing};
    site = (reeve_section){.title = "default", .values = site_values};
    const reeve_section section = {.values = values};
    ck_assert_msg(settings_read(&section) == 0, "%s", fake_error);
}

static void tear_down(void)
{
    request_thread_exit();
    settings_free();
    static_descriptor.worker_exit();
    temp_remove();
}

/* ---------------------------------------------------------------- asking ------------ */

/* All that is answered; good until the next call but one. */
static const char *ask(const char *input)
{
    static char outputs[2][8192];
    static unsigned turn;
    char *output = outputs[turn++ % 2];
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    fake_feed(conn, input, strlen(input));
    ck_assert_uint_lt(strlen(fake_output(conn, NULL)), sizeof outputs[0]);
    strcpy(output, fake_output(conn, NULL));
    fake_close(&conn);
    return output;
}

/* One request with these fields, each "Name: value\r\n". */
static const char *get(const char *method, const char *target, const char *fields)
{
    char input[1024];
    snprintf(input, sizeof input, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target, fields);
    return ask(input);
}

static int status_of(const char *output)
{
    ck_assert_msg(strncmp(output, "HTTP/1.1 ", 9) == 0, "%s", output);
    return atoi(output + 9);
}

/* How often the first answer has the field, and what it says the last time. */
static unsigned count_field(const char *output, const char *name, char value[200])
{
    const char *end = strstr(output, "\r\n\r\n");
    unsigned count = 0;
    ck_assert_ptr_nonnull(end);
    for (const char *at = strstr(output, "\r\n"); at < end; at = strstr(at + 2, "\r\n")) {
        size_t length = strlen(name);
        if (strncasecmp(at + 2, name, length) != 0 || at[2 + length] != ':')
            continue;
        ck_assert_int_eq(sscanf(at + 2 + length, ": %199[^\r]", value), 1);
        count++;
    }
    return count;
}

static bool has(const char *output, const char *name)
{
    char value[200];
    return count_field(output, name, value) > 0;
}

/* The field stands there once. */
static void says(const char *output, const char *name, const char *wanted)
{
    char value[200];
    ck_assert_msg(count_field(output, name, value) == 1, "%s in:\n%s", name, output);
    ck_assert_str_eq(value, wanted);
}

static const char *content(const char *output)
{
    return strstr(output, "\r\n\r\n") + 4;
}

/* ---------------------------------------------------------------- RFC 9112 ---------- */

START_TEST(rfc9112_4_status_line)
{
    for (int code = 200; code < 600; code++) {
        char target[32];
        unsigned major, minor;
        int told = 0, behind = 0;
        snprintf(target, sizeof target, "/status?%d", code);
        const char *output = get("HEAD", target, "");
        ck_assert_int_eq(sscanf(output, "HTTP/%1u.%1u %3d %n", &major, &minor, &told, &behind), 3);
        ck_assert_int_eq(told, answer_reason(code) != NULL ? code : 500);
        ck_assert_int_eq(behind, 13);
        ck_assert_int_eq(strncmp(output + 13, answer_reason(told), strlen(answer_reason(told))),
                         0);
    }
}
END_TEST

/* Every line of what is sent is a field, without white space before the colon and without folds. */
START_TEST(rfc9112_5_fields_that_are_sent)
{
    static const char *const targets[] = {"/a.txt", "/none", "/sub", "/page.html", "/stream?200"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("HEAD", targets[i], "Accept-Encoding: gzip\r\n");
        const char *at = strstr(output, "\r\n") + 2;
        for (; strncmp(at, "\r\n", 2) != 0; at = strstr(at, "\r\n") + 2) {
            size_t name = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-");
            ck_assert_msg(name > 0 && at[name] == ':' && at[name + 1] == ' ', "%s", at);
        }
    }
}
END_TEST

/* No Transfer-Encoding where it would be misread: in a 204, to HTTP/1.0. */
START_TEST(rfc9112_6_1_coding_where_it_may_be)
{
    says(get("HEAD", "/stream?200", ""), "Transfer-Encoding", "chunked");
    ck_assert(!has(get("GET", "/stream?204", ""), "Transfer-Encoding"));
    ck_assert(!has(get("GET", "/stream?304", ""), "Transfer-Encoding"));
    ck_assert(!has(ask("HEAD /stream?200 HTTP/1.0\r\n\r\n"), "Transfer-Encoding"));
}
END_TEST

START_TEST(rfc9112_6_2_length_or_coding)
{
    static const char *const targets[] = {"/stream?200", "/stream?200=5", "/stream?404", "/a.txt",
                                          "/status?200", "/status?404"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("HEAD", targets[i], "");
        ck_assert_msg(has(output, "Content-Length") != has(output, "Transfer-Encoding"), "%s",
                      output);
    }
}
END_TEST

/* Who is too slow is told so, as far as he has said anything, and the connection ends. */
START_TEST(rfc9112_9_5_timeouts)
{
    static const char *const inputs[] = {
        "", "GET /a.txt HTTP/1.1\r\nHost: a\r\n",
        "POST /status?200 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
        fake_feed(conn, inputs[i], strlen(inputs[i]));
        fake_expire(conn);
        const char *output = fake_output(conn, NULL);
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        if (i == 0) {
            ck_assert_str_eq(output, "");
        } else {
            ck_assert_int_eq(status_of(output), 408);
            says(output, "Connection", "close"); /* RFC 9110, 15.5.9 */
        }
        fake_close(&conn);
    }
}
END_TEST

/* What comes behind a request that closes is not answered, and not done. */
START_TEST(rfc9112_9_6_nothing_behind_close)
{
    asked = 0;
    const char *output = ask("GET /status?200 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                             "GET /status?200 HTTP/1.1\r\nHost: a\r\n\r\n");
    says(output, "Connection", "close");
    ck_assert_ptr_null(strstr(output + 1, "HTTP/1.1"));
    ck_assert_uint_eq(asked, 1);
}
END_TEST

/* ---------------------------------------------------------------- RFC 9110 ---------- */

/* The version is that of the server, whatever the client's minor number is. */
START_TEST(rfc9110_2_5_version)
{
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.0\r\n\r\n")), 200);
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")), 200);
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.7\r\nHost: a\r\n\r\n")), 200);
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/3.0\r\nHost: a\r\n\r\n")), 505);
}
END_TEST

START_TEST(rfc9110_5_1_names_in_any_case)
{
    ck_assert_str_eq(content(get("GET", "/field?x-TEST", "X-test: v\r\n")), "[v]");
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.1\r\nhOST: a\r\nrANGE: bytes=0-0\r\n\r\n")),
                     206);
    ck_assert_str_eq(content(ask("POST /field?x HTTP/1.1\r\nHOST: a\r\ncontent-LENGTH: 3\r\n"
                                 "X: y\r\n\r\nabc")), "[y]");
}
END_TEST

/* A field that stands there several times has all the values: tags on two lines are one list, and of
 * what may stand there once, two are none. */
START_TEST(rfc9110_5_2_repeated_fields)
{
    char tag[200], fields[400];
    ck_assert_str_eq(content(get("GET", "/field?X", "X: a\r\nY: b\r\nx: c, d\r\nX:\r\n")),
                     "[a, c, d, ]");
    ck_assert_str_eq(content(get("GET", "/field?Y", "X: a\r\nY: b\r\nX: c\r\ny: d\r\n")),
                     "[b, d]");
    ck_assert_uint_eq(count_field(get("GET", "/a.txt", ""), "ETag", tag), 1);
    snprintf(fields, sizeof fields, "If-Match: \"x\"\r\nIf-Match: %s\r\n", tag);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", fields)), 200);
    snprintf(fields, sizeof fields, "If-None-Match: \"x\"\r\nIf-None-Match: %s\r\n", tag);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", fields)), 304);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "If-Modified-Since: " NOW_TEXT "\r\n"
                                                    "If-Modified-Since: " NOW_TEXT "\r\n")),
                     200); /* 13.1.3: more than one member */
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=0-0\r\nRange: bytes=1-1\r\n")),
                     200);
    says(get("GET", "/page.html", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n"),
         "Content-Encoding", "gzip");
    ck_assert_str_eq(content(ask("GET http://a/field?X HTTP/1.1\r\nX: a\r\nHost: b\r\nX: c\r\n"
                                 "\r\n")), "[a, c]");
}
END_TEST

/* Nothing is done before all fields are there: the last one may forbid it. */
START_TEST(rfc9110_5_3_not_before_the_last_field)
{
    static const char head[] = "GET /status?200 HTTP/1.1\r\nHost: a\r\nX: y\r\n";
    asked = 0;
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    fake_feed(conn, head, sizeof head - 1);
    ck_assert_uint_eq(asked, 0);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    fake_feed(conn, "\r\n", 2);
    ck_assert_uint_eq(asked, 1);
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9110_5_5_field_values)
{
    ck_assert_str_eq(content(get("GET", "/field?X", "X:y\r\n")), "[y]");
    ck_assert_str_eq(content(get("GET", "/field?X", "X: \t y z\t \r\n")), "[y z]");
    ck_assert_str_eq(content(get("GET", "/field?X", "X:\r\n")), "[]");
    ck_assert_str_eq(content(get("GET", "/field?X", "X: \xc3\xa9\xff\r\n")), "[\xc3\xa9\xff]");
}
END_TEST

/* A list may hold empty elements. */
START_TEST(rfc9110_5_6_1_2_empty_elements)
{
    says(get("GET", "/a.txt", "Connection: ,, close ,\r\n"), "Connection", "close");
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Expect: , 100-continue ,,\r\n")), 200);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=,0-0 , ,\r\n")), 206);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "If-Match: , \"x\",\r\n")), 412);
    says(get("GET", "/page.html", "Accept-Encoding: ,, gzip ,\r\n"), "Content-Encoding", "gzip");
}
END_TEST

/* Every answer tells the time, once. */
START_TEST(rfc9110_6_6_1_date)
{
    static const char *const inputs[] = {
        "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "G\x01\r\n", "\r\nX\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "PUT /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-1\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=10-\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        says(ask(inputs[i]), "Date", NOW_TEXT);
}
END_TEST

START_TEST(rfc9110_7_6_1_connection_options_in_any_case)
{
    says(get("GET", "/a.txt", "Connection: CLOSE\r\n"), "Connection", "close");
    says(ask("GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "Connection", "keep-alive");
}
END_TEST

/* A server that does not change protocols answers as if the field were not there. */
START_TEST(rfc9110_7_8_upgrade)
{
    const char *output = get("GET", "/a.txt", "Connection: upgrade\r\nUpgrade: h2c\r\n");
    ck_assert_int_eq(status_of(output), 200);
    ck_assert(!has(output, "Upgrade"));
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.0\r\nUpgrade: HTTP/2.0\r\n\r\n")), 200);
}
END_TEST

START_TEST(rfc9110_8_3_content_type)
{
    says(get("GET", "/a.txt", ""), "Content-Type", "text/plain; charset=utf-8");
    says(get("HEAD", "/page.html", "Accept-Encoding: gzip\r\n"), "Content-Type",
         "text/html; charset=utf-8"); /* that of what is packed */
    says(get("GET", "/none", ""), "Content-Type", "text/html; charset=utf-8");
    ck_assert(!has(get("OPTIONS", "/a.txt", ""), "Content-Type"));
}
END_TEST

/* What the bytes are packed with, and nothing where they are not. */
START_TEST(rfc9110_8_4_content_encoding)
{
    const char *output = get("GET", "/page.html", "Accept-Encoding: gzip\r\n");
    says(output, "Content-Encoding", "gzip");
    ck_assert_str_eq(content(output), "packed");
    output = get("GET", "/page.html", "Accept-Encoding: gzip;q=0\r\n");
    ck_assert(!has(output, "Content-Encoding"));
    ck_assert_str_eq(content(output), "<p>");
    ck_assert(!has(get("GET", "/page.html.gz", ""), "Content-Encoding"));
}
END_TEST

/* No length where none may be; for HEAD the one that GET would have. */
START_TEST(rfc9110_8_6_content_length)
{
    ck_assert(!has(get("GET", "/status?204", ""), "Content-Length"));
    ck_assert(!has(get("GET", "/stream?204=5", ""), "Content-Length"));
    ck_assert(!has(get("OPTIONS", "/a.txt", ""), "Content-Length"));
    ck_assert(!has(get("GET", "/a.txt", "If-None-Match: *\r\n"), "Content-Length"));
    says(get("GET", "/a.txt", ""), "Content-Length", "10");
    says(get("HEAD", "/a.txt", ""), "Content-Length", "10");
    says(get("HEAD", "/stream?200=5", ""), "Content-Length", "5");
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    static const char input[] = "POST /status?200 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                                "Expect: 100-continue\r\n\r\n";
    fake_feed(conn, input, sizeof input - 1);
    ck_assert_str_eq(fake_output(conn, NULL), "HTTP/1.1 100 Continue\r\n\r\n");
    fake_close(&conn);
}
END_TEST

/* Never later than Date, or the file would seem newer than what was sent of it. */
START_TEST(rfc9110_8_8_2_1_last_modified)
{
    says(get("GET", "/a.txt", ""), "Last-Modified", THEN_TEXT);
    says(get("GET", "/later.txt", ""), "Last-Modified", NOW_TEXT);
}
END_TEST

/* Each coding of a file has a tag of its own, and keeps it. */
START_TEST(rfc9110_8_8_3_3_tags_of_codings)
{
    char plain[200], packed[200], again[200];
    ck_assert_uint_eq(count_field(get("GET", "/page.html", ""), "ETag", plain), 1);
    ck_assert_uint_eq(count_field(get("GET", "/page.html", "Accept-Encoding: gzip\r\n"), "ETag",
                                  packed), 1);
    ck_assert_uint_eq(count_field(get("HEAD", "/page.html", ""), "ETag", again), 1);
    ck_assert_str_ne(plain, packed);
    ck_assert_str_eq(plain, again);
    ck_assert_msg(plain[0] == '"' && plain[strlen(plain) - 1] == '"', "%s", plain);
}
END_TEST

START_TEST(rfc9110_9_1_methods)
{
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "")), 200);
    ck_assert_int_eq(status_of(get("HEAD", "/a.txt", "")), 200);
    ck_assert_int_eq(status_of(get("Get", "/a.txt", "")), 501); /* case counts */
    ck_assert_int_eq(status_of(get("BREW", "/a.txt", "")), 501);
    ck_assert_int_eq(status_of(get("DELETE", "/a.txt", "")), 405);
}
END_TEST

/* The same fields as for GET, and nothing behind them. */
START_TEST(rfc9110_9_3_2_fields_of_head)
{
    static const char *const targets[] = {"/a.txt", "/none", "/sub", "/status?404"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *whole = get("GET", targets[i], ""), *head = get("HEAD", targets[i], "");
        ck_assert_uint_eq(strlen(head), (size_t)(content(whole) - whole));
        ck_assert_int_eq(strncmp(whole, head, strlen(head)), 0);
    }
}
END_TEST

START_TEST(rfc9110_9_3_7_options)
{
    says(get("OPTIONS", "/a.txt", ""), "Allow", "GET, HEAD, OPTIONS");
    ck_assert_int_eq(status_of(get("OPTIONS", "/a.txt", "Content-Length: 3\r\n\r\nabc")), 204);
}
END_TEST

/* What was asked is not sent back: there may be credentials in it. */
START_TEST(rfc9110_9_3_8_trace)
{
    const char *output = get("TRACE", "/a.txt", "Cookie: secret\r\n");
    ck_assert_int_eq(status_of(output), 405);
    ck_assert_ptr_null(strstr(output, "secret"));
}
END_TEST

/* Also where nothing was packed: the next client may take it. */
START_TEST(rfc9110_12_5_5_vary)
{
    says(get("GET", "/page.html", "Accept-Encoding: gzip\r\n"), "Vary", "Accept-Encoding");
    says(get("GET", "/page.html", ""), "Vary", "Accept-Encoding");
    says(get("GET", "/a.txt", ""), "Vary", "Accept-Encoding");
}
END_TEST

/* The fields of a request that would not succeed without them are not looked at. */
START_TEST(rfc9110_13_2_1_only_where_it_would_succeed)
{
    ck_assert_int_eq(status_of(get("GET", "/none", "If-Match: \"x\"\r\n")), 404);
    ck_assert_int_eq(status_of(get("GET", "/none", "If-None-Match: *\r\n")), 404);
    ck_assert_int_eq(status_of(get("GET", "/sub", "If-Match: \"x\"\r\n")), 301);
    ck_assert_int_eq(status_of(get("OPTIONS", "/a.txt", "If-Match: \"x\"\r\n")), 204);
    ck_assert_int_eq(status_of(get("PUT", "/a.txt", "If-Match: \"x\"\r\n")), 405);
}
END_TEST

/* A precondition that does not hold goes before a range that cannot be satisfied. */
START_TEST(rfc9110_13_2_2_before_the_range)
{
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=10-\r\nIf-Match: \"x\"\r\n")),
                     412);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=0-0\r\nIf-None-Match: *\r\n")),
                     304);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=10-\r\nIf-Range: \"x\"\r\n")),
                     200);
}
END_TEST

START_TEST(rfc9110_14_2_with_get_only)
{
    const char *output = get("HEAD", "/a.txt", "Range: bytes=0-1\r\n");
    ck_assert_int_eq(status_of(output), 200);
    says(output, "Content-Length", "10");
    ck_assert(!has(output, "Content-Range"));
    ck_assert_int_eq(status_of(get("OPTIONS", "/a.txt", "Range: bytes=0-1\r\n")), 204);
}
END_TEST

START_TEST(rfc9110_14_3_accept_ranges)
{
    says(get("GET", "/a.txt", ""), "Accept-Ranges", "bytes");
}
END_TEST

/* Nothing before the answer for a client that would take it for the answer. */
START_TEST(rfc9110_15_2_interim_answers)
{
    const char *output = get("GET", "/interim", "");
    ck_assert_int_eq(status_of(output), 103);
    says(output, "Link", "</a>");
    ck_assert(!has(output, "Content-Length"));
    ck_assert_int_eq(status_of(content(output)), 200);
    output = ask("GET /interim HTTP/1.0\r\n\r\n");
    ck_assert_int_eq(status_of(output), 200);
    ck_assert_str_eq(content(output), "text");
}
END_TEST

START_TEST(rfc9110_15_3_5_no_content)
{
    static const char *const targets[] = {"/status?204", "/stream?204", "/stream?204=5"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("GET", targets[i], "");
        ck_assert_int_eq(status_of(output), 204);
        ck_assert_str_eq(content(output), "");
    }
}
END_TEST

START_TEST(rfc9110_15_3_6_reset_content)
{
    static const char *const targets[] = {"/status?205", "/stream?205", "/stream?205=5"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("GET", targets[i], "");
        says(output, "Content-Length", "0");
        ck_assert(!has(output, "Transfer-Encoding"));
        ck_assert_str_eq(content(output), "");
    }
    says(get("HEAD", "/status?205", ""), "Content-Length", "0");
    ck_assert_str_eq(content(ask("GET /stream?205 HTTP/1.0\r\n\r\n")), "");
}
END_TEST

START_TEST(rfc9110_15_3_7_1_one_part)
{
    const char *output = get("GET", "/a.txt", "Range: bytes=2-4\r\n");
    ck_assert_int_eq(status_of(output), 206);
    says(output, "Content-Range", "bytes 2-4/10");
    says(output, "Content-Length", "3");
    says(output, "Content-Type", "text/plain; charset=utf-8");
    says(output, "Cache-Control", "max-age=60");
    says(output, "Vary", "Accept-Encoding");
    ck_assert(has(output, "ETag"));
    ck_assert_str_eq(content(output), "234");
}
END_TEST

/* Each part says where it stands, and only there. */
START_TEST(rfc9110_15_3_7_2_parts)
{
    const char *output = get("GET", "/a.txt", "Range: bytes=0-0,5-6\r\n");
    ck_assert_int_eq(status_of(output), 206);
    ck_assert(!has(output, "Content-Range"));
    const char *body = content(output);
    ck_assert_ptr_nonnull(strstr(body, "\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--"));
    ck_assert_ptr_nonnull(strstr(body, "\r\nContent-Range: bytes 5-6/10\r\n\r\n56\r\n--"));
}
END_TEST

START_TEST(rfc9110_15_4_2_moved)
{
    says(get("GET", "/sub?a=b", ""), "Location", "/sub/?a=b");
}
END_TEST

/* All that 200 would have said and a cache needs; nothing else of the file. */
START_TEST(rfc9110_15_4_5_not_modified)
{
    char tag[200], fields[300];
    const char *whole = get("GET", "/page.html", "");
    ck_assert_uint_eq(count_field(whole, "ETag", tag), 1);
    snprintf(fields, sizeof fields, "If-None-Match: \"x\", %s\r\n", tag);
    const char *output = get("GET", "/page.html", fields);
    ck_assert_int_eq(status_of(output), 304);
    says(output, "ETag", tag);
    says(output, "Vary", "Accept-Encoding");
    says(output, "Cache-Control", "max-age=60");
    ck_assert_str_eq(content(output), "");
    ck_assert(!has(output, "Content-Type") && !has(output, "Content-Encoding"));
}
END_TEST

START_TEST(rfc9110_15_5_6_allow)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const char *output = get(methods[i], "/a.txt", "");
        ck_assert_int_eq(status_of(output), 405);
        says(output, "Allow", "GET, HEAD, OPTIONS");
    }
}
END_TEST

START_TEST(rfc9110_15_5_17_length_of_the_file)
{
    const char *output = get("GET", "/a.txt", "Range: bytes=10-\r\n");
    ck_assert_int_eq(status_of(output), 416);
    says(output, "Content-Range", "bytes */10");
}
END_TEST

/* It says why, and what would do. */
START_TEST(rfc9110_15_6_6_versions)
{
    const char *output = ask("GET / HTTP/2.0\r\nHost: a\r\n\r\n");
    ck_assert_int_eq(status_of(output), 505);
    ck_assert_ptr_nonnull(strstr(content(output), "HTTP/1.0 and HTTP/1.1"));
}
END_TEST

UNIT_MAIN_AROUND("http-rfc", set_up, tear_down, ONCE(rfc9112_4_status_line),
                 ONCE(rfc9112_5_fields_that_are_sent), ONCE(rfc9112_6_1_coding_where_it_may_be),
                 ONCE(rfc9112_6_2_length_or_coding), ONCE(rfc9112_9_5_timeouts),
                 ONCE(rfc9112_9_6_nothing_behind_close), ONCE(rfc9110_2_5_version),
                 ONCE(rfc9110_5_1_names_in_any_case), ONCE(rfc9110_5_2_repeated_fields),
                 ONCE(rfc9110_5_3_not_before_the_last_field),
                 ONCE(rfc9110_5_5_field_values), ONCE(rfc9110_5_6_1_2_empty_elements),
                 ONCE(rfc9110_6_6_1_date), ONCE(rfc9110_7_6_1_connection_options_in_any_case),
                 ONCE(rfc9110_7_8_upgrade), ONCE(rfc9110_8_3_content_type),
                 ONCE(rfc9110_8_4_content_encoding),
                 ONCE(rfc9110_8_6_content_length), ONCE(rfc9110_8_8_2_1_last_modified),
                 ONCE(rfc9110_8_8_3_3_tags_of_codings), ONCE(rfc9110_9_1_methods),
                 ONCE(rfc9110_9_3_2_fields_of_head), ONCE(rfc9110_9_3_7_options),
                 ONCE(rfc9110_9_3_8_trace), ONCE(rfc9110_12_5_5_vary),
                 ONCE(rfc9110_13_2_1_only_where_it_would_succeed),
                 ONCE(rfc9110_13_2_2_before_the_range), ONCE(rfc9110_14_2_with_get_only),
                 ONCE(rfc9110_14_3_accept_ranges), ONCE(rfc9110_15_2_interim_answers),
                 ONCE(rfc9110_15_3_5_no_content), ONCE(rfc9110_15_3_6_reset_content),
                 ONCE(rfc9110_15_3_7_1_one_part), ONCE(rfc9110_15_3_7_2_parts),
                 ONCE(rfc9110_15_4_2_moved), ONCE(rfc9110_15_4_5_not_modified),
                 ONCE(rfc9110_15_5_6_allow), ONCE(rfc9110_15_5_17_length_of_the_file),
                 ONCE(rfc9110_15_6_6_versions))
