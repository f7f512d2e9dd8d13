/* The body of a request: collected in the request's own memory, which grows as bytes come, so that
 * a length that was only promised costs nothing. Loop thread.
 */
#include "config.h"

#include "body.h"

static enum body_result body_plain(reeve_conn *conn, struct request *request)
{
    size_t length;
    const char *data = reeve_input(conn, &length);
    if (length > request->body_left)
        length = (size_t)request->body_left;
    if (!bytes_add(&request->body, data, length))
        return BODY_NO_MEMORY;
    reeve_consume(conn, length);
    request->body_left -= length;
    return request->body_left == 0 ? BODY_END : BODY_MORE;
}

static enum body_result body_chunks(reeve_conn *conn, struct request *request)
{
    size_t length, used = 0, size = 0, at = 0;
    const char *piece = NULL, *data = reeve_input(conn, &length);
    enum chunk_result result;
    while ((result = chunk_next(&request->chunk, data + at, length - at, &used, &piece, &size)) ==
           CHUNK_DATA) {
        at += used;
        if (request->chunk.left > settings.body_limit ||
            request->body.length + size + request->chunk.left > settings.body_limit)
            return BODY_LARGE;
        if (!bytes_add(&request->body, piece, size))
            return BODY_NO_MEMORY;
    }
    if (result == CHUNK_BAD)
        return BODY_BAD;
    reeve_consume(conn, at + used);
    return result == CHUNK_END ? BODY_END : BODY_MORE;
}

enum body_result body_read(reeve_conn *conn, struct request *request)
{
    return request->chunked ? body_chunks(conn, request) : body_plain(conn, request);
}
