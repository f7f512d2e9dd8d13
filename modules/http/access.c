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
    clock_gettime(CLOCK_MONOTONIC, &now);
    request->began = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* `least`: what is below this character is escaped too. */
static void put_safe(struct line *line, const char *data, size_t length, unsigned char least)
{
    char *end = line->at + ACCESS_TEXT - 4;
    while (length > 0 && line->at < end) {
        size_t room = (size_t)(end - line->at), most = length < room ? length : room;
        size_t run = line_copy_safe(line->at, data, most, least);
        line->at += run;
        data += run;
        length -= run;
        if (run == most)
            continue;
        unsigned char c = (unsigned char)*data++;
        length--;
        line_put(line, (const char[]){'\\', 'x', hex_digit(c >> 4), hex_digit(c)}, 4);
    }
}

static void put_time(struct line *line)
{
    static _Thread_local struct {
        int64_t second;
        size_t length;
        char text[48];
    } kept = {.second = -1};
    int64_t now = reeve_time();
    if (now != kept.second) {
        struct tm tm;
        time_t seconds = (time_t)now;
        localtime_r(&seconds, &tm);
        kept.length = strftime(kept.text, sizeof kept.text, " [%d/%b/%Y:%H:%M:%S %z] \"", &tm);
        kept.second = now;
    }
    line_put(line, kept.text, kept.length);
}

static void put_request_line(struct line *line, const struct request *request, const char *raw,
                             size_t length)
{
    const struct parse *parse = &request->parse;
    if (request->head.length > 0) {
        const char *head = request->head.data;
        size_t method = parse->method.length, most = ACCESS_TEXT - 4;
        line_put(line, head + parse->method.at, method < most ? method : most); /* a token: safe */
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

/* `bit` tells at no cost that there is no such field. */
static void put_field(struct line *line, const struct request *request, const char *name,
                      uint64_t bit)
{
    bool there = request->head.length > 0 && (request->parse.names & bit) != 0;
    const char *value = there ? reeve_header(&request->public, name) : NULL;
    if (value == NULL || *value == '\0') {
        line_put(line, " \"-\"", 4);
        return;
    }
    line_put(line, " \"", 2);
    put_safe(line, value, strlen(value), ' ');
    line_put(line, "\"", 1);
}

static void put_combined(struct line *line, const struct request *request, const char *raw,
                         size_t raw_length)
{
    static const char referer[] = "referer", agent[] = "user-agent";
    line_text(line, request->peer); /* the engine's own text: an address */
    line_put(line, " - ", 3);
    if (request->user != NULL && *request->user != '\0')
        put_safe(line, request->user, strlen(request->user), ' ' + 1);
    else
        line_put(line, "-", 1);
    put_time(line);
    put_request_line(line, request, raw, raw_length);
    line_put(line, "\" ", 2);
    line_number(line, (uint64_t)request->answer.status, 1);
    line_put(line, " ", 1);
    line_number(line, access_bytes(request), 1);
    put_field(line, request, referer, parse_name_bit(referer, sizeof referer - 1));
    put_field(line, request, agent, parse_name_bit(agent, sizeof agent - 1));
    line_put(line, "\n", 1);
}

void access_log(struct request *request, const char *raw, size_t raw_length)
{
    const struct access *access = access_of(request);
    char text[ACCESS_LINE];
    struct line line = {text};
    if (access->file == NULL)
        return;
    switch (access->format) {
    case ACCESS_COMBINED:
        put_combined(&line, request, raw, raw_length);
        break;
    case ACCESS_JSON:
        access_json(&line, request, raw, raw_length);
        break;
    }
    reeve_logfile_write(access->file, text, (size_t)(line.at - text));
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
