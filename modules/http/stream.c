/* An answer in pieces.
 *
 * more() is called in the loop, and what it writes goes straight into the output queue; or in a
 * pool thread, then it gathers in the answer's own memory until the loop takes it. Nobody asks for
 * a piece while the output is congested, so memory is bounded by one piece. What must hold: no byte
 * more or less than the promised length is queued; where that cannot be kept, the connection ends.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "stream.h"

static bool may_write(const struct stream *stream, size_t length)
{
    return length <= STREAM_PIECE - (stream->written - stream->asked_at) &&
           (stream->length == REEVE_UNKNOWN_LENGTH || length <= stream->length - stream->written);
}

/* Into the output queue, framed. */
static bool put_piece(const struct request *request, reeve_conn *conn, const void *data,
                      size_t length)
{
    char size[20];
    if (!request->answer.stream.chunked)
        return reeve_send(conn, data, length) == 0;
    int n = snprintf(size, sizeof size, "%zx\r\n", length);
    return reeve_send(conn, size, (size_t)n) == 0 && reeve_send(conn, data, length) == 0 &&
           reeve_send(conn, "\r\n", 2) == 0;
}

int stream_write(struct request *request, const void *data, size_t length)
{
    struct answer *answer = &request->answer;
    struct stream *stream = &answer->stream;
    if (stream->state != STREAM_ASKED)
        return -1;
    if (length == 0)
        return 0; /* as a chunk it would be the end */
    bool put = may_write(stream, length) &&
               (request->conn != NULL ? put_piece(request, request->conn, data, length)
                                      : bytes_add(&answer->owned, data, length));
    if (!put) {
        stream->state = STREAM_FAILED;
        return -1;
    }
    stream->written += length;
    return 0;
}

static const char *fault_of(const struct stream *stream, int result)
{
    if (result < 0)
        return "gave up";
    if (stream->state == STREAM_FAILED)
        return "wrote more than it may";
    if (result == 0 && stream->length != REEVE_UNKNOWN_LENGTH && stream->written < stream->length)
        return "ended before the length that it had promised";
    if (result > 0 && stream->written == stream->asked_at)
        return "had neither a piece nor an end";
    return NULL;
}

void stream_ask(struct request *request)
{
    struct stream *stream = &request->answer.stream;
    const struct route *route = request->route;
    stream->asked_at = stream->written;
    stream->state = STREAM_ASKED;
    request_in_hand(request);
    int result = stream->more(&request->public, stream->arg);
    request_in_hand(NULL);
    const char *fault = fault_of(stream, result);
    if (fault != NULL)
        reeve_log(REEVE_LOG_ERROR, "handler-failed",
                  "handler %s of route %s in site %s: its stream %s after %" PRIu64 " bytes",
                  route->module, route->prefix, route->site, fault, stream->written);
    stream->state = fault != NULL ? STREAM_FAILED : result == 0 ? STREAM_LAST : STREAM_MORE;
}

/* RFC 9112, 7.1: the last chunk, and the trailer fields. */
static bool put_end(const struct answer *answer, reeve_conn *conn)
{
    const struct bytes *trailers = &answer->trailers;
    return reeve_send(conn, "0\r\n", 3) == 0 &&
           reeve_send(conn, trailers->data, trailers->length) == 0 &&
           reeve_send(conn, "\r\n", 2) == 0;
}

void stream_take(struct request *request, reeve_conn *conn)
{
    struct answer *answer = &request->answer;
    struct stream *stream = &answer->stream;
    bool good = stream->state != STREAM_FAILED;
    if (good && answer->owned.length > 0)
        good = put_piece(request, conn, answer->owned.data, answer->owned.length);
    if (!good && request->waits)
        stream->written = stream->asked_at; /* what had gathered is not sent */
    answer->owned.length = 0;
    if (good && stream->state == STREAM_LAST && stream->chunked)
        good = put_end(answer, conn);
    if (!good)
        stream->state = STREAM_FAILED;
}
