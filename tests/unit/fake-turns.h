/* What http does with a request that is asked again in the pool, and with an answer in pieces, for
 * tests that stand in for it with a table of their own: put TURNS_API into that. One thread. */
#ifndef TESTS_FAKE_TURNS_H
#define TESTS_FAKE_TURNS_H
#include <stdlib.h>
#include <string.h>

#include "reeve/http.h"
#include "unit.h"

static struct {
    bool waits; /* this call may wait */
    bool again; /* the handler wants to be asked again */
    bool short_of_memory;
    int pieces; /* calls of more() */
    int end;    /* what the last of them returned */
    size_t largest; /* piece */
    uint64_t promised; /* length of the stream */
    char *data; /* all that it wrote; ends with NUL */
    size_t length;
} turns;

static inline bool turns_may_wait(const reeve_request *r) { return (void)r, turns.waits; }

static inline int turns_again(reeve_request *r)
{
    (void)r;
    ck_assert(!turns.waits && !turns.again);
    turns.again = true;
    return 0;
}

static inline int turns_write(reeve_request *r, const void *data, size_t length)
{
    (void)r;
    turns.data = realloc(turns.data, turns.length + length + 1);
    if (length > 0)
        memcpy(turns.data + turns.length, data, length);
    turns.length += length;
    turns.data[turns.length] = '\0';
    return 0;
}

/* Asks for all pieces at once. Each writes something, but for the last, and none too much. */
static inline void turns_stream(reeve_request *r, uint64_t promised,
                                int (*more)(reeve_request *r, void *arg), void (*over)(void *arg),
                                void *arg)
{
    turns.promised = promised;
    turns.length = turns.largest = 0;
    turns.pieces = 0;
    do {
        size_t before = turns.length;
        turns.end = more(r, arg);
        turns.pieces++;
        size_t piece = turns.length - before;
        ck_assert(turns.end <= 0 || piece > 0);
        ck_assert_uint_le(piece, 1024 * 1024);
        turns.largest = piece > turns.largest ? piece : turns.largest;
    } while (turns.end > 0);
    ck_assert_uint_le(turns.length, promised);
    over(arg);
}

/* Memory of the request; freed by turns_forget(). */
static void *turns_memory[8];

static inline void *turns_alloc(reeve_request *r, size_t size)
{
    (void)r;
    for (size_t i = 0; !turns.short_of_memory && i < sizeof turns_memory / sizeof *turns_memory;
         i++)
        if (turns_memory[i] == NULL)
            return turns_memory[i] = malloc(size);
    return NULL;
}

static inline void turns_forget(void)
{
    for (size_t i = 0; i < sizeof turns_memory / sizeof *turns_memory; i++) {
        free(turns_memory[i]);
        turns_memory[i] = NULL;
    }
    free(turns.data);
    memset(&turns, 0, sizeof turns);
}

#define TURNS_API                                                                                  \
    .again = turns_again, .may_wait = turns_may_wait, .write = turns_write, .alloc = turns_alloc
#endif
