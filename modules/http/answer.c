/* Answers: status line and fields are written straight into the output queue, a small body behind
 * them, so that both leave in one send. A large body follows as what it is: bytes lent to the
 * engine, or a file. Loop thread, except answer_page() and answer_reset(), which touch the answer
 * alone.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "ident.h"
#include "prepared.h"

#define FIELDS_KEEP 4096 /* memory for fields that a spare answer keeps */
#define HEAD_ROOM 512    /* more than all fields take that the core writes, type and own apart */

static const struct {
    int status;
    const char *line, *reason;
} statuses[] = {
#define X(code, text) {code, "HTTP/1.1 " #code " " text "\r\n", text},
#include "status.def"
#undef X
};

static const char *status_line(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].line;
    return NULL;
}

const char *answer_reason(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    return NULL;
}

bool answer_page(struct answer *answer, int status, const char *why)
{
    char page[1024];
    const char *reason = answer_reason(status);
    int n = snprintf(page, sizeof page,
                     "<!DOCTYPE html>\n<html lang=\"en\"><head><title>%d %s</title></head>\n"
                     "<body><h1>%d %s</h1>\n%s%s%s</body></html>\n",
                     status, reason, status, reason, why != NULL ? "<p>" : "",
                     why != NULL ? why : "", why != NULL ? "</p>\n" : "");
    answer->owned.length = 0;
    if (n < 0 || (size_t)n >= sizeof page || !bytes_add(&answer->owned, page, (size_t)n))
        return false;
    answer->status = status;
    answer->body = answer->owned.data;
    answer->length = answer->owned.length;
    strcpy(answer->type, "text/html; charset=utf-8");
    return true;
}

/* By hand: a locale must not matter. */
void answer_write_date(struct answer_date *date, int64_t now)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    time_t seconds = (time_t)now;
    gmtime_r(&seconds, &tm);
    snprintf(date->field, sizeof date->field, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
             days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
    date->second = now;
}

/* Writing into the room that the engine gave. */
static char *put(char *at, const void *data, size_t length)
{
    memcpy(at, data, length);
    return at + length;
}

static char *put_text(char *at, const char *text)
{
    return put(at, text, strlen(text));
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

bool answer_is_bare(int status)
{
    return status == 204 || status == 205 || status == 304;
}

/* How the client will know where the body ends. */
static char *put_framing(char *at, const struct answer *answer)
{
    if (answer->status == 205) /* RFC 9110, 15.3.6: this one says so */
        return put_text(at, "Content-Length: 0\r\n");
    if (answer_is_bare(answer->status))
        return at;
    if (answer->stream.chunked)
        return put_text(at, "Transfer-Encoding: chunked\r\n");
    if (answer->stream.more != NULL && answer->stream.length == REEVE_UNKNOWN_LENGTH)
        return at; /* the end of the connection */
    at = put_text(at, "Content-Length: ");
    at = put_number(at, answer->length);
    return put_text(at, "\r\n");
}

/* The field by which the request can be found in logs. */
static char *put_id(char *at, struct request *request)
{
    if (settings.request_id == NULL)
        return at;
    at = put_text(at, settings.request_id);
    at = put_text(at, ": ");
    at = put_text(at, ident_of(request));
    return put_text(at, "\r\n");
}

char *answer_put_head(char *at, const struct answer *answer, struct answer_date *date)
{
    at = put_text(at, status_line(answer->status));
    at = answer_put_date(at, date);
    if (settings.server_header)
        at = put_text(at, "Server: reeve\r\n");
    if (answer->type[0] != '\0' && !answer_is_bare(answer->status)) {
        at = put_text(at, "Content-Type: ");
        at = put_text(at, answer->type);
        at = put_text(at, "\r\n");
    }
    return put_framing(at, answer);
}

char *answer_put_own(char *at, struct request *request)
{
    const struct answer *answer = &request->answer;
    if (request->close)
        at = put_text(at, "Connection: close\r\n");
    else if (request->parse.minor == 0)
        at = put_text(at, "Connection: keep-alive\r\n");
    at = put_id(at, request);
    if (answer->fields.length > 0)
        at = put(at, answer->fields.data, answer->fields.length);
    return put(at, "\r\n", 2);
}

static void close_file(void *arg)
{
    close((int)(intptr_t)arg);
}

static bool send_file(struct answer *answer, reeve_conn *conn)
{
    if (reeve_send_file(conn, answer->fd, answer->offset, answer->length, close_file,
                        (void *)(intptr_t)answer->fd) != 0)
        return false;
    answer->fd = -1; /* the engine closes it */
    return true;
}

static bool send_body(struct answer *answer, reeve_conn *conn)
{
    if (answer->fd >= 0)
        return send_file(answer, conn);
    if (answer->body != answer->owned.data)
        return reeve_send(conn, answer->body, answer->length) == 0;
    if (reeve_send_borrowed(conn, answer->body, answer->length, free, answer->owned.data) != 0)
        return false;
    answer->owned = (struct bytes){0}; /* the engine frees it */
    return true;
}

/* What a stream means for the head. */
static void begin_stream(struct request *request)
{
    struct stream *stream = &request->answer.stream;
    bool unknown = stream->length == REEVE_UNKNOWN_LENGTH;
    stream->chunked = unknown && request->parse.minor >= 1;
    if (unknown && !stream->chunked)
        request->close = true;
    request->answer.length = unknown ? 0 : (size_t)stream->length;
    if (!request->headless && !answer_is_bare(request->answer.status))
        stream->state = STREAM_MORE;
}

size_t answer_head_room(const struct answer *answer)
{
    return HEAD_ROOM + sizeof answer->type + answer->fields.length;
}

bool answer_send(struct request *request, reeve_conn *conn)
{
    struct answer *answer = &request->answer;
    if (answer->prepared != NULL)
        return answer->begun = prepared_send(answer->prepared, request, conn);
    if (answer->stream.more != NULL)
        begin_stream(request);
    if (request->headless || answer_is_bare(answer->status)) {
        if (answer->fd >= 0)
            close(answer->fd);
        answer->fd = -1;
    }
    bool bodied = !request->headless && !answer_is_bare(answer->status) && answer->length > 0 &&
                  answer->stream.more == NULL;
    size_t small = bodied && answer->fd < 0 && answer->length <= ANSWER_SMALL ? answer->length : 0;
    char *start = reeve_reserve(conn, answer_head_room(answer) + small);
    if (start == NULL)
        return false;
    char *at = answer_put_own(answer_put_head(start, answer, &request->home->date), request);
    if (small > 0)
        at = put(at, answer->body, small);
    reeve_commit(conn, (size_t)(at - start));
    answer->begun = !bodied || small > 0 || send_body(answer, conn);
    return answer->begun;
}

static void end_stream(struct stream *stream)
{
    if (stream->over != NULL)
        stream->over(stream->arg);
    stream->over = NULL;
}

void answer_lighten(struct answer *answer)
{
    end_stream(&answer->stream);
    bytes_reset(&answer->fields, 0);
    bytes_reset(&answer->owned, 0);
}

/* Reasons of interim answers; what is not here needs none (RFC 9112, 4). */
static const struct {
    int status;
    const char *reason;
} interims[] = {{100, "Continue"}, {102, "Processing"}, {103, "Early Hints"}};

bool answer_interim(const struct answer *answer, reeve_conn *conn, int status)
{
    const char *reason = "";
    char line[64];
    for (size_t i = 0; i < sizeof interims / sizeof *interims; i++)
        if (interims[i].status == status)
            reason = interims[i].reason;
    size_t length = (size_t)snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, reason);
    char *start = reeve_reserve(conn, length + answer->fields.length + 2);
    if (start == NULL)
        return false;
    char *at = put(start, line, length);
    if (answer->fields.length > 0)
        at = put(at, answer->fields.data, answer->fields.length);
    at = put_text(at, "\r\n");
    reeve_commit(conn, (size_t)(at - start));
    return true;
}

void answer_reset(struct answer *answer)
{
    if (answer->fd >= 0)
        close(answer->fd);
    answer->fd = -1;
    answer->type[0] = '\0';
    end_stream(&answer->stream);
    if (answer->prepared != NULL)
        prepared_drop(answer->prepared);
    word_zero(answer, offsetof(struct answer, fd));
    bytes_reset(&answer->fields, FIELDS_KEEP);
    bytes_reset(&answer->trailers, FIELDS_KEEP);
    bytes_reset(&answer->owned, ANSWER_SMALL);
}
