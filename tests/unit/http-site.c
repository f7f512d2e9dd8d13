/* The http module with one site over fake-reeve. See http-site.h. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/request.h"
#include "../../modules/http/settings.h"
#include "../modules/mirror.h"
#include "fake-reeve.h"
#include "http-site.h"

extern const reeve_module reeve_module_descriptor;

void http_site_open(void)
{
    static const reeve_handler mirror = {.protocol = "http", .handle = mirror_handle};
    static const reeve_section options = {.title = NULL};
    static const reeve_section route = {.title = "/m", .handler = &mirror, .options = &options};
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
    }
    const char *output = fake_output(conn, &talk->length);
    talk->output = malloc(talk->length + 1);
    assert(talk->output != NULL);
    memcpy(talk->output, output, talk->length + 1);
    talk->verdict = fake_verdict(conn);
    drop_continue(talk);
    fake_end(conn);
    assert(fake_verdict(conn) == REEVE_CLOSE);
    fake_close(&conn);
}

void http_site_forget(struct http_talk *talk)
{
    free(talk->output);
    talk->output = NULL;
}
