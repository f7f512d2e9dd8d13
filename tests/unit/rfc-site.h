/* A site with files and a few handlers of its own, http and static together over the stand-in for
 * the engine, and what one asks it: for tests of what the RFCs demand, bytes in and bytes out.
 * set_up() and tear_down() are to be given to UNIT_MAIN_AROUND. One thread. */
#ifndef TESTS_RFC_SITE_H
#define TESTS_RFC_SITE_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../../modules/http/request.h"
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
static inline int status(reeve_request *request, void *config)
{
    (void)config;
    int code = atoi(reeve_query(request));
    asked++;
    return code == 200 ? reeve_reply(request, 200, "text/plain", "text", 4)
                       : reeve_reply_status(request, code);
}

static inline int piece(reeve_request *request, void *arg)
{
    (void)arg;
    return reeve_write(request, "piece", 5);
}

/* "/stream?204": pieces of unknown length, with that status; "/stream?205=5": of that length. */
static inline int stream(reeve_request *request, void *config)
{
    (void)config;
    const char *length = strchr(reeve_query(request), '=');
    return reeve_reply_stream(request, atoi(reeve_query(request)), "text/plain",
                              length != NULL ? strtoull(length + 1, NULL, 10)
                                             : REEVE_UNKNOWN_LENGTH,
                              piece, NULL, NULL);
}

/* "/interim": hints, and then the answer. */
static inline int interim(reeve_request *request, void *config)
{
    (void)config;
    ck_assert_int_eq(reeve_set_header(request, "Link", "</a>"), 0);
    ck_assert_int_eq(reeve_interim(request, 103), 0);
    return reeve_reply(request, 200, "text/plain", "text", 4);
}

/* "/field?X-Test": what the field says. */
static inline int field(reeve_request *request, void *config)
{
    (void)config;
    const char *value = reeve_header(request, reeve_query(request));
    char text[200];
    int n = snprintf(text, sizeof text, "[%s]", value != NULL ? value : "none");
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

static inline int no_options(const reeve_section *section, const char *route, void **config)
{
    (void)section;
    (void)route;
    *config = NULL;
    return 0;
}

static const reeve_handler own[] = {
    {.protocol = "http", .configure = no_options, .handle = status},
    {.protocol = "http", .configure = no_options, .handle = stream},
    {.protocol = "http", .configure = no_options, .handle = field},
    {.protocol = "http", .configure = no_options, .handle = interim},
};
static const char *const prefixes[] = {"/status", "/stream", "/field", "/interim"};
#define OWN (sizeof own / sizeof *own)

/* ---------------------------------------------------------------- a site ------------ */

static inline void put(const char *name, const char *text, time_t changed)
{
    const struct timespec times[2] = {{.tv_sec = changed}, {.tv_sec = changed}};
    temp_write(temp_path(name), text);
    ck_assert_int_eq(utimensat(AT_FDCWD, temp_path(name), times, 0), 0);
}

static inline void make_tree(void)
{
    temp_make();
    ck_assert_int_eq(mkdir(temp_path("sub"), 0755), 0);
    put("a.txt", "0123456789", THEN);
    put("page.html", "<p>", THEN);
    put("page.html.gz", "packed", THEN);
    put("later.txt", "later", THEN * 2l);
}

static inline void set_up(void)
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

static inline void tear_down(void)
{
    request_thread_exit();
    settings_free();
    static_descriptor.worker_exit();
    temp_remove();
}

/* ---------------------------------------------------------------- asking ------------ */

/* All that is answered; good until the next call but one. */
static inline const char *ask(const char *input)
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
static inline const char *get(const char *method, const char *target, const char *fields)
{
    char input[1024];
    snprintf(input, sizeof input, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target, fields);
    return ask(input);
}

static inline int status_of(const char *output)
{
    ck_assert_msg(strncmp(output, "HTTP/1.1 ", 9) == 0, "%s", output);
    return atoi(output + 9);
}

/* How often the first answer has the field, and what it says the last time. */
static inline unsigned count_field(const char *output, const char *name, char value[200])
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

static inline bool has(const char *output, const char *name)
{
    char value[200];
    return count_field(output, name, value) > 0;
}

/* The field stands there once. */
static inline void says(const char *output, const char *name, const char *wanted)
{
    char value[200];
    ck_assert_msg(count_field(output, name, value) == 1, "%s in:\n%s", name, output);
    ck_assert_str_eq(value, wanted);
}

static inline const char *content(const char *output)
{
    return strstr(output, "\r\n\r\n") + 4;
}
#endif
