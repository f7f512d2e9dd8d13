/* pieces: answers in pieces and answers that come later, for scenarios. Built twice: "pieces" runs
 * in the loop, "poolpieces" (with PIECES_BLOCKING) in the pool.
 *
 *     ?length=N   so many bytes: "abc...z" again and again
 *     known=1     with a Content-Length
 *     short=1     the last piece is missing, and -1 is returned
 *     later=1     from a thread of its own
 *
 * Memory: the state of an answer lies in the request's. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "reeve/http.h"

#ifdef PIECES_BLOCKING
#define NAME "poolpieces"
#define BLOCKING true
#else
#define NAME "pieces"
#define BLOCKING false
#endif
#define PIECE (32 * 1024)

struct pieces {
    uint64_t at, length;
    bool cut_short;
};

static uint64_t number(reeve_request *request, const char *name)
{
    const char *text = reeve_query_value(request, name);
    return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static int more(reeve_request *request, void *arg)
{
    struct pieces *pieces = arg;
    char text[PIECE];
    size_t length = pieces->length - pieces->at < PIECE ? (size_t)(pieces->length - pieces->at)
                                                        : PIECE;
    if (length < PIECE && pieces->cut_short)
        return -1;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + (pieces->at + i) % 26);
    pieces->at += length;
    if (reeve_write(request, text, length) != 0)
        return -1;
    return pieces->at < pieces->length;
}

static int answer(reeve_request *request)
{
    struct pieces *pieces = reeve_alloc(request, sizeof *pieces);
    if (pieces == NULL)
        return reeve_reply_status(request, 503);
    *pieces = (struct pieces){.length = number(request, "length"),
                              .cut_short = number(request, "short") != 0};
    uint64_t length = number(request, "known") ? pieces->length : REEVE_UNKNOWN_LENGTH;
    return reeve_reply_stream(request, 200, "text/plain", length, more, NULL, pieces);
}

static void *later(void *arg)
{
    reeve_request *request = arg;
    if (reeve_is_wanted(request))
        answer(request);
    reeve_finish(request);
    return NULL;
}

static int pieces_handle(reeve_request *request, void *config)
{
    pthread_t thread;
    (void)config;
    if (!number(request, "later"))
        return answer(request);
    if (reeve_defer(request) != 0)
        return reeve_reply_status(request, 503);
    if (pthread_create(&thread, NULL, later, request) == 0)
        pthread_detach(thread); /* a worker that ends waits for the request */
    else
        reeve_finish(request);
    return 0;
}

static const reeve_handler pieces_handler = {
    .protocol = "http", .blocking = BLOCKING, .handle = pieces_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = NAME, .version = "1.0", .handler = &pieces_handler);
