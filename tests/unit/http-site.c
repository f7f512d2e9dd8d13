/* The http module with one site over fake-reeve. See http-site.h. */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/request.h"
#include "../../modules/http/settings.h"
#include "../modules/mirror.h"
#include "fake-reeve.h"
#include "http-site.h"

extern const reeve_module reeve_module_descriptor;

/* ---------------------------------------------------------------- receiving --------- */

static int open_sums; /* requests that hold one */

struct sum {
    unsigned long long length, sum;
};

static void sum_over(void *pointer)
{
    struct sum *sum = pointer;
    assert(sum->length < 1000000);
    open_sums--;
}

static int sum_receive(reeve_request *request, void *config, const void *data, size_t length)
{
    const char *bytes = data;
    struct sum *sum = reeve_kept(request);
    (void)config;
    if (data == NULL) {
        sum = reeve_alloc(request, sizeof *sum);
        assert(length == 0 && sum != NULL);
        *sum = (struct sum){0};
        open_sums++;
        return reeve_keep(request, sum, sum_over);
    }
    assert(length > 0 && sum != NULL);
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '!')
            return reeve_reply(request, 413, "text/plain", "!", 1);
        if (bytes[i] == '?')
            return -1;
        sum->sum = sum->sum * 31 + (unsigned char)bytes[i];
    }
    sum->length += length;
    return 0;
}

static int sum_handle(reeve_request *request, void *config)
{
    char text[64];
    const struct sum *sum = reeve_kept(request);
    (void)config;
    int n = snprintf(text, sizeof text, "%llu %llx\n", sum != NULL ? sum->length : 0,
                     sum != NULL ? sum->sum : 0);
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

/* ---------------------------------------------------------------- streaming --------- */

static int stream_more(reeve_request *request, void *arg)
{
    size_t length, *at = arg;
    const char *body = reeve_body(request, &length);
    size_t piece = length - *at < 5 ? length - *at : 5;
    int result = reeve_write(request, body + *at, piece);
    assert(result == 0);
    (void)result;
    *at += piece;
    return *at < length;
}

static int stream_handle(reeve_request *request, void *config)
{
    size_t length, *at = reeve_alloc(request, sizeof *at);
    (void)config;
    assert(at != NULL);
    *at = 0;
    reeve_body(request, &length);
    bool known = reeve_header(request, "X-Test") != NULL;
    return reeve_reply_stream(request, 200, "text/plain", known ? length : REEVE_UNKNOWN_LENGTH,
                              stream_more, NULL, at);
}

/* ---------------------------------------------------------------- the site ---------- */

static const reeve_handler handlers[HTTP_SITE_KINDS] = {
    [HTTP_SITE_MIRROR] = {.protocol = "http", .handle = mirror_handle},
    [HTTP_SITE_MIRROR_IN_POOL] = {.protocol = "http", .handle = mirror_handle, .blocking = true},
    [HTTP_SITE_RECEIVE] = {.protocol = "http", .handle = sum_handle, .receive = sum_receive},
    [HTTP_SITE_RECEIVE_IN_POOL] = {.protocol = "http", .handle = sum_handle,
                                   .receive = sum_receive, .blocking = true},
    [HTTP_SITE_STREAM] = {.protocol = "http", .handle = stream_handle},
    [HTTP_SITE_STREAM_IN_POOL] = {.protocol = "http", .handle = stream_handle, .blocking = true},
};

void http_site_use(enum http_site_kind kind)
{
    struct route *route = &settings.sites[0].routes[0];
    route->handler = &handlers[kind];
    route->receive = handlers[kind].receive;
}

void http_site_open(void)
{
    static const reeve_section options = {.title = NULL};
    static const reeve_section route = {
        .title = "/m", .handler = &handlers[0], .options = &options};
    static const struct fake_value site_values[] = {
        {.name = "route", .sections = &route, .count = 1},
        {.name = NULL},
    };
    static const reeve_section site = {.title = "default", .values = site_values};
    static const struct fake_value values[] = {
        {.name = "line_limit", .number = 128},
        {.name = "header_limit", .number = 256},
        {.name = "header_count", .number = 8},
        {.name = "body_limit", .number = 64},
        {.name = "keepalive_timeout", .number = 15000},
        {.name = "header_timeout", .number = 20000},
        {.name = "body_timeout", .number = 20000},
        {.name = "access_log", .text = ""},
        {.name = "site", .sections = &site, .count = 1},
        {.name = NULL},
    };
    static const reeve_section section = {.values = values};
    int result = settings_read(&section);
    assert(result == 0);
    (void)result;
}

void http_site_close(void)
{
    request_thread_exit();
    settings_free();
}

/* 100 Continue is sent only if the body is not on its way yet (RFC 9110, 10.1.1): a matter of time,
 * not of the bytes. */
static void drop_continue(struct http_talk *talk)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const size_t size = sizeof interim - 1;
    for (char *at = talk->output;
         (at = memmem(at, talk->length - (size_t)(at - talk->output), interim, size)) != NULL;) {
        memmove(at, at + size, talk->length - (size_t)(at - talk->output) - size + 1);
        talk->length -= size;
    }
}

static void run_jobs(reeve_conn *conn)
{
    while (fake_verdict(conn) == REEVE_JOB)
        fake_run_jobs(conn, true);
}

void http_site_talk(const char *data, size_t length, size_t first, size_t step,
                    struct http_talk *talk)
{
    fake_memory_left = 1000000;
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    size_t piece = first;
    for (size_t at = 0; at < length; at += piece, piece = step) {
        if (piece > length - at)
            piece = length - at;
        fake_feed(conn, data + at, piece);
        if (at / 3 % 2 == 0) /* now at once, now when more is there */
            run_jobs(conn);
    }
    run_jobs(conn);
    const char *output = fake_output(conn, &talk->length);
    talk->output = malloc(talk->length + 1);
    assert(talk->output != NULL);
    memcpy(talk->output, output, talk->length + 1);
    talk->verdict = fake_verdict(conn);
    drop_continue(talk);
    fake_end(conn);
    assert(fake_verdict(conn) == REEVE_CLOSE);
    fake_close(&conn);
    assert(open_sums == 0);
}

void http_site_forget(struct http_talk *talk)
{
    free(talk->output);
    talk->output = NULL;
}
