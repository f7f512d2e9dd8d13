/* The access log in the combined format:
 *
 *     192.0.2.1 - - [20/Nov/2026:23:01:02 +0000] "GET /a HTTP/1.1" 200 512 "referrer" "agent"
 *
 * What came from the client is escaped as \xHH, so that it can neither end a field nor a line nor
 * drive a terminal; long texts are cut. One line is built on the stack, nothing is allocated.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "access.h"

#define ACCESS_LINE 14336 /* six texts and what stands between them */
#define ACCESS_TEXT 2048 /* most bytes that one text may take in the line */

struct line {
    char data[ACCESS_LINE];
    size_t length;
};

static void put(struct line *line, const char *data, size_t length)
{
    memcpy(line->data + line->length, data, length);
    line->length += length;
}

static void put_safe(struct line *line, const char *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t end = line->length + ACCESS_TEXT - 4;
    for (size_t i = 0; i < length && line->length < end; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            line->data[line->length++] = (char)c;
            continue;
        }
        put(line, (const char[]){'\\', 'x', digits[c >> 4], digits[c & 15]}, 4);
    }
}

static const char *time_text(size_t *length)
{
    static _Thread_local char text[64];
    static _Thread_local size_t text_length;
    static _Thread_local int64_t second = -1;
    int64_t now = reeve_time();
    if (now != second) {
        struct tm tm;
        time_t seconds = (time_t)now;
        localtime_r(&seconds, &tm);
        text_length = strftime(text, sizeof text, " [%d/%b/%Y:%H:%M:%S %z] \"", &tm);
        second = now;
    }
    *length = text_length;
    return text;
}

static void put_request_line(struct line *line, const struct request *request, const char *raw,
                             size_t length)
{
    const struct parse *parse = &request->parse;
    if (request->head.length > 0) {
        const char *head = request->head.data;
        put_safe(line, head + parse->method.at, parse->method.length);
        put(line, " ", 1);
        put_safe(line, head + parse->target.at, parse->target.length);
        put(line, parse->minor == 0 ? " HTTP/1.0" : " HTTP/1.1", 9);
        return;
    }
    size_t end = 0;
    while (end < length && raw[end] != '\r' && raw[end] != '\n')
        end++;
    if (end > 0)
        put_safe(line, raw, end);
    else
        put(line, "-", 1);
}

static void put_field(struct line *line, const struct request *request, const char *name)
{
    const char *value = request->head.length > 0 ? reeve_header(&request->public, name) : NULL;
    put(line, " \"", 2);
    if (value != NULL && *value != '\0')
        put_safe(line, value, strlen(value));
    else
        put(line, "-", 1);
    put(line, "\"", 1);
}

void access_log(const struct request *request, const char *raw, size_t raw_length)
{
    if (settings.access_log == NULL)
        return;
    struct line line;
    line.length = 0;
    put_safe(&line, request->peer, strlen(request->peer));
    put(&line, " - ", 3);
    if (request->user != NULL && *request->user != '\0')
        put_safe(&line, request->user, strlen(request->user));
    else
        put(&line, "-", 1);
    size_t length;
    const char *when = time_text(&length);
    put(&line, when, length);
    put_request_line(&line, request, raw, raw_length);
    bool bodied = !request->headless && request->answer.status != 204 &&
                  request->answer.status != 304;
    char numbers[64];
    int n = snprintf(numbers, sizeof numbers, "\" %d %zu", request->answer.status,
                     bodied ? request->answer.length : (size_t)0);
    put(&line, numbers, (size_t)n);
    put_field(&line, request, "referer");
    put_field(&line, request, "user-agent");
    put(&line, "\n", 1);
    reeve_logfile_write(settings.access_log, line.data, line.length);
}
