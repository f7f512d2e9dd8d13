/* The access log as JSON: one object a line, always with the same names in the same order, and
 * `line` more where what came was no request, `interrupted` where the answer was cut short. null
 * stands for what there is none of.
 *
 * Whatever bytes the client sends, the line is JSON (RFC 8259) and plain ASCII, so that no text can
 * end its string or drive a terminal: a character beyond ASCII is written as \uXXXX, a byte that is
 * no UTF-8 as \ufffd. Long texts are cut, never within a character. Loop thread; nothing is
 * allocated.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "access-line.h"
#include "hex.h"
#include "ident.h"

#define SHORT_TEXT 256 /* most bytes of texts that are longer only if somebody plays */
#define LONGEST 12     /* bytes that one character may take: a surrogate pair */

/* The character at `data` in UTF-8 (RFC 3629): how many bytes it has; 0 if it is none. */
static size_t next_character(const char *data, size_t length, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)data[0];
    size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    if (n == 0 || n > length)
        return 0;
    *code = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        unsigned char more = (unsigned char)data[i];
        if ((more & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (more & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < least[n] || *code > 0x10ffff || surrogate ? 0 : n;
}

static void put_unit(struct line *line, uint32_t unit)
{
    const char text[] = {'\\', 'u', hex_digit(unit >> 12), hex_digit(unit >> 8),
                         hex_digit(unit >> 4), hex_digit(unit)};
    line_put(line, text, sizeof text);
}

static void put_character(struct line *line, uint32_t code)
{
    if (code == '"' || code == '\\')
        line_put(line, "\\", 1);
    if (code >= 0x20 && code < 0x7f) {
        *line->at++ = (char)code;
    } else if (code < 0x10000) {
        put_unit(line, code);
    } else {
        put_unit(line, 0xd800 + ((code - 0x10000) >> 10));
        put_unit(line, 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
}

static void put_string(struct line *line, const char *name, const char *data, size_t length,
                       size_t most)
{
    line_text(line, name);
    if (data == NULL) {
        line_text(line, "null");
        return;
    }
    line_put(line, "\"", 1);
    char *end = line->at + most - LONGEST;
    for (size_t i = 0; i < length && line->at <= end;) {
        size_t room = (size_t)(end - line->at) + 1, left = length - i;
        size_t run = line_copy_safe(line->at, data + i, left < room ? left : room, ' ');
        line->at += run;
        i += run;
        if (i == length || line->at > end)
            break;
        uint32_t code;
        size_t n = next_character(data + i, length - i, &code);
        put_character(line, n > 0 ? code : 0xfffd);
        i += n > 0 ? n : 1;
    }
    line_put(line, "\"", 1);
}

static void put_text(struct line *line, const char *name, const char *text, size_t most)
{
    put_string(line, name, text, text != NULL ? strlen(text) : 0, most);
}

/* "2026-11-20T23:01:02.345Z": the date only when the second has changed. */
static void put_time(struct line *line)
{
    static _Thread_local struct {
        time_t second;
        size_t length;
        char text[40];
    } kept = {.second = -1};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != kept.second) {
        struct tm tm;
        gmtime_r(&now.tv_sec, &tm);
        kept.length = strftime(kept.text, sizeof kept.text, "{\"time\":\"%Y-%m-%dT%H:%M:%S.", &tm);
        kept.second = now.tv_sec;
    }
    line_put(line, kept.text, kept.length);
    line_number(line, (uint64_t)now.tv_nsec / 1000000, 3);
    line_put(line, "Z\"", 2);
}

static void put_numbers(struct line *line, const struct request *request)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t took = (uint64_t)(now.tv_sec * 1000000 + now.tv_nsec / 1000 - request->began);
    line_text(line, ",\"status\":");
    line_number(line, (uint64_t)request->answer.status, 1);
    line_text(line, ",\"bytes\":");
    line_number(line, access_bytes(request), 1);
    line_text(line, ",\"seconds\":");
    line_number(line, took / 1000000, 1);
    line_put(line, ".", 1);
    line_number(line, took % 1000000, 6);
}

void access_json(struct line *line, struct request *request, const char *raw, size_t raw_length)
{
    const struct parse *parse = &request->parse;
    const struct reeve_request *public = &request->public;
    bool whole = request->head.length > 0;
    put_time(line);
    put_text(line, ",\"request_id\":", ident_of(request), SHORT_TEXT);
    put_text(line, ",\"peer\":", request->peer, SHORT_TEXT);
    put_text(line, ",\"site\":", request->site != NULL ? request->site->title : NULL, SHORT_TEXT);
    put_text(line, ",\"method\":", whole ? request_text(request, parse->method) : NULL,
             SHORT_TEXT);
    put_text(line, ",\"target\":", whole ? request_text(request, parse->target) : NULL,
             ACCESS_TEXT);
    line_text(line, !whole              ? ",\"protocol\":null"
                    : parse->minor == 0 ? ",\"protocol\":\"HTTP/1.0\""
                                        : ",\"protocol\":\"HTTP/1.1\"");
    put_numbers(line, request);
    put_text(line, ",\"referer\":", whole ? reeve_header(public, "referer") : NULL, ACCESS_TEXT);
    put_text(line, ",\"user_agent\":", whole ? reeve_header(public, "user-agent") : NULL,
             ACCESS_TEXT);
    put_text(line, ",\"user\":", request->user, SHORT_TEXT);
    if (!whole)
        put_string(line, ",\"line\":", raw != NULL ? raw : "",
                   raw != NULL ? access_first_line(raw, raw_length) : 0, ACCESS_TEXT);
    if (request->interrupted)
        line_text(line, ",\"interrupted\":true");
    line_put(line, "}\n", 2);
}
