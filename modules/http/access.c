/* The access log, and its combined format:
 *
 *     192.0.2.1 - anna [20/Nov/2026:23:01:02 +0000] "GET /a HTTP/1.1" 200 512 "referrer" "agent"
 *
 * A request whose answer was cut short has the status that was sent, and the bytes that were sent
 * so far; if there was no answer yet, the status is 499. A connection that ends within a head
 * leaves no line. What came from the client is escaped as \xHH, so that it can neither end a field
 * nor a line nor drive a terminal; long texts are cut. One line is built on the stack, nothing is
 * allocated.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "access-line.h"
#include "access.h"
#include "answer.h"
#include "hex.h"

#define LEFT 499 /* in place of a status where none was sent: nginx's word for it */

void access_begin(struct request *request)
{
    struct timespec now;
    if (!settings.timed)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    request->began = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

size_t access_bytes(const struct request *request)
{
    const struct answer *answer = &request->answer;
    return request->headless || answer_is_bare(answer->status) ? 0 : answer->length;
}

size_t access_first_line(const char *raw, size_t length)
{
    size_t end = 0;
    while (end < length && raw[end] != '\r' && raw[end] != '\n')
        end++;
    return end;
}

static bool is_safe(char character, unsigned char least)
{
    unsigned char c = (unsigned char)character;
    return c >= least && c < 0x7f && c != '"' && c != '\\';
}

/* `least`: what is below this character is escaped too. */
static void put_safe(struct line *line, const char *data, size_t length, unsigned char least)
{
    size_t end = line->length + ACCESS_TEXT - 4;
    while (length > 0 && line->length < end) {
        size_t room = end - line->length, most = length < room ? length : room, run = 0;
        while (run < most && is_safe(data[run], least))
            run++;
        line_put(line, data, run);
        data += run;
        length -= run;
        if (run == most)
            continue;
        unsigned char c = (unsigned char)*data++;
        length--;
        line_put(line, (const char[]){'\\', 'x', hex_digit(c >> 4), hex_digit(c)}, 4);
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
        put_safe(line, head + parse->method.at, parse->method.length, ' ');
        line_put(line, " ", 1);
        put_safe(line, head + parse->target.at, parse->target.length, ' ');
        line_put(line, parse->minor == 0 ? " HTTP/1.0" : " HTTP/1.1", 9);
        return;
    }
    size_t end = access_first_line(raw, length);
    if (end > 0)
        put_safe(line, raw, end, ' ');
    else
        line_put(line, "-", 1);
}

static void put_field(struct line *line, const struct request *request, const char *name)
{
    const char *value = request->head.length > 0 ? reeve_header(&request->public, name) : NULL;
    line_put(line, " \"", 2);
    if (value != NULL && *value != '\0')
        put_safe(line, value, strlen(value), ' ');
    else
        line_put(line, "-", 1);
    line_put(line, "\"", 1);
}

static void put_combined(struct line *line, const struct request *request, const char *raw,
                         size_t raw_length)
{
    put_safe(line, request->peer, strlen(request->peer), ' ');
    line_put(line, " - ", 3);
    if (request->user != NULL && *request->user != '\0')
        put_safe(line, request->user, strlen(request->user), ' ' + 1);
    else
        line_put(line, "-", 1);
    size_t length;
    const char *when = time_text(&length);
    line_put(line, when, length);
    put_request_line(line, request, raw, raw_length);
    line_put(line, "\" ", 2);
    line_number(line, (uint64_t)request->answer.status);
    line_put(line, " ", 1);
    line_number(line, access_bytes(request));
    put_field(line, request, "referer");
    put_field(line, request, "user-agent");
    line_put(line, "\n", 1);
}

static const struct access *access_of(const struct request *request)
{
    return request->site != NULL ? &request->site->access : &settings.access;
}

bool access_is_logged(const struct request *request)
{
    return access_of(request)->file != NULL;
}

void access_log(struct request *request, const char *raw, size_t raw_length)
{
    const struct access *access = access_of(request);
    struct line line;
    if (access->file == NULL)
        return;
    line.length = 0;
    switch (access->format) {
    case ACCESS_COMBINED:
        put_combined(&line, request, raw, raw_length);
        break;
    case ACCESS_JSON:
        access_json(&line, request, raw, raw_length);
        break;
    }
    reeve_logfile_write(access->file, line.data, line.length);
}

void access_interrupted(struct request *request, size_t unsent)
{
    struct answer *answer = &request->answer;
    if (answer->stream.more != NULL)
        answer->length = (size_t)answer->stream.written;
    if (!answer->begun)
        answer->status = LEFT;
    answer->length = answer->begun && answer->length > unsent ? answer->length - unsent : 0;
    request->interrupted = true;
    access_log(request, NULL, 0);
}
