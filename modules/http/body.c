/* The body of a request: taken from the input piece by piece, and thrown away, gathered or handed
 * over. What is gathered lies in the request's own memory, which grows as bytes come, so that a
 * length that was only promised costs nothing. Loop thread.
 *
 * What must hold: nothing behind the body is consumed; what comes before a mistake in the framing
 * is handed over before the mistake counts, so that an answer does not depend on how the bytes were
 * split.
 */
#include "config.h"

#include "body.h"

enum body_way body_way(const struct request *request)
{
    if (request->refused != 0)
        return BODY_DROPPED;
    if (request->route->receive == NULL)
        return BODY_GATHERED;
    return request->route->handler->blocking ? BODY_RECEIVED_IN_POOL : BODY_RECEIVED;
}

/* Takes the first *used of these bytes of input; those of *data are of the body, *size may be 0. */
static void body_next(struct request *request, const char *in, size_t length, size_t *used,
                      const char **data, size_t *size)
{
    *used = *size = 0;
    if (!request->chunked) {
        *data = in;
        *used = *size = length < request->body_left ? length : (size_t)request->body_left;
        request->body_left -= *size;
        if (request->body_left == 0)
            request->body_state = BODY_COMPLETE;
        return;
    }
    switch (chunk_next(&request->chunk, in, length, used, data, size)) {
    case CHUNK_MORE:
    case CHUNK_DATA:
        break;
    case CHUNK_END:
        request->body_state = BODY_COMPLETE;
        break;
    case CHUNK_BAD:
        request->body_state = BODY_MALFORMED;
        break;
    }
}

/* A length that was announced was judged before. */
static bool is_large(const struct request *request, size_t size)
{
    const struct chunk *chunk = &request->chunk;
    return chunk->left > settings.body_limit ||
           request->body_taken + size + chunk->left > settings.body_limit;
}

static enum body_result body_put(struct request *request, enum body_way way, const char *data,
                                 size_t size)
{
    bool limited = way == BODY_DROPPED || way == BODY_GATHERED;
    if (limited && is_large(request, size))
        return BODY_LARGE;
    request->body_taken += size;
    switch (way) {
    case BODY_DROPPED:
        return BODY_TAKEN;
    case BODY_RECEIVED:
        request_receive(request, data, size);
        return request->answer.given ? BODY_STOPPED : BODY_TAKEN;
    case BODY_GATHERED:
    case BODY_RECEIVED_IN_POOL:
        break;
    }
    if (!bytes_add(&request->body, data, size))
        return BODY_NO_MEMORY;
    return way == BODY_RECEIVED_IN_POOL && request->body.length == BODY_PIECE_MAX ? BODY_PIECE
                                                                                  : BODY_TAKEN;
}

enum body_result body_read(reeve_conn *conn, struct request *request)
{
    const enum body_way way = body_way(request);
    size_t length, at = 0, used, size;
    const char *data = NULL, *in = reeve_input(conn, &length);
    enum body_result result = BODY_TAKEN;
    while (result == BODY_TAKEN && at < length && request->body_state == BODY_COMING) {
        size_t most = BODY_PIECE_MAX;
        if (way == BODY_RECEIVED_IN_POOL)
            most -= request->body.length;
        body_next(request, in + at, length - at < most ? length - at : most, &used, &data, &size);
        at += used;
        if (size > 0)
            result = body_put(request, way, data, size);
    }
    reeve_consume(conn, at);
    if (result == BODY_TAKEN && way == BODY_RECEIVED_IN_POOL && request->body.length > 0)
        result = BODY_PIECE;
    return result;
}
