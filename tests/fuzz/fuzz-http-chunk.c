/* Fuzzes the chunked coding: the same body and the same end however it is split. Run by fuzz.sh and
 * replay.c.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct decoded {
    char *body;
    size_t length, taken;
    enum chunk_result result; /* never DATA */
};

/* Decodes in pieces of `step`, each in memory of its own. */
static struct decoded decode(const char *data, size_t size, size_t step)
{
    struct decoded d = {.body = malloc(size + 1), .result = CHUNK_MORE};
    struct chunk chunk = {0};
    while (d.taken < size && (d.result == CHUNK_MORE || d.result == CHUNK_DATA)) {
        size_t n = size - d.taken < step ? size - d.taken : step, used = 0, length = 0;
        const char *piece = NULL;
        char *copy = malloc(n);
        memcpy(copy, data + d.taken, n);
        d.result = chunk_next(&chunk, copy, n, &used, &piece, &length);
        if (d.result == CHUNK_DATA) {
            assert(length > 0 && piece >= copy && piece + length == copy + used);
            memcpy(d.body + d.length, piece, length);
            d.length += length;
        }
        assert(d.result == CHUNK_BAD || (used > 0 && used <= n));
        assert(d.result != CHUNK_MORE || used == n);
        d.taken += used;
        free(copy);
    }
    if (d.result == CHUNK_DATA)
        d.result = CHUNK_MORE;
    return d;
}

/* Good bytes are a line, bytes, a line, and so on; the body's bytes are not in the lines. */
static void check_lines(const char *data, const struct decoded *d)
{
    assert(d->taken >= 5 && memcmp(data + d->taken - 2, "\r\n", 2) == 0);
    size_t at = 0, body = 0;
    for (;;) {
        char *end;
        size_t left = strtoull(data + at, &end, 16);
        const char *lf = memchr(data + at, '\n', d->taken - at);
        assert(end > data + at && lf != NULL && lf[-1] == '\r');
        at = (size_t)(lf - data) + 1;
        if (left == 0)
            break;
        assert(left <= d->taken - at && memcmp(data + at, d->body + body, left) == 0);
        at += left + 2;
        body += left;
    }
    assert(body == d->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *data = malloc(size + 1); /* ends with NUL, for strtoull() */
    if (size > 0)
        memcpy(data, bytes, size);
    data[size] = '\0';
    struct decoded whole = decode(data, size, size + 1);
    for (size_t step = 1; step <= 3; step++) {
        struct decoded split = decode(data, size, step);
        assert(split.result == whole.result && split.length == whole.length);
        assert(memcmp(split.body, whole.body, whole.length) == 0);
        assert(whole.result == CHUNK_BAD || split.taken == whole.taken);
        free(split.body);
    }
    if (whole.result == CHUNK_END)
        check_lines(data, &whole);
    free(whole.body);
    free(data);
    return 0;
}
