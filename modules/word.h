/* Bytes eight at a time, for texts that are short and looked at often: a call costs more than that.
 * Pure. */
#ifndef MODULES_WORD_H
#define MODULES_WORD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `length` is a constant, at most 8. */
static inline uint64_t word_load(const char *at, size_t length)
{
    uint64_t word = 0;
    memcpy(&word, at, length);
    return word;
}

/* Up to eight bytes of a text of that length, 4 at least: the bytes in the middle are perhaps there
 * twice, so two texts of one length give the same word if they begin and end alike. */
static inline uint64_t word_ends(const char *at, size_t length)
{
    return word_load(at, 4) | word_load(at + length - 4, 4) << 32;
}

/* Are these the same? The last bytes are perhaps compared twice. */
static inline bool word_same(const char *a, const char *b, size_t length)
{
    if (length < 4) {
        while (length > 0 && a[length - 1] == b[length - 1])
            length--;
        return length == 0;
    }
    if (length < 8)
        return word_ends(a, length) == word_ends(b, length);
    for (size_t at = 0; at + 8 < length; at += 8)
        if (word_load(a + at, 8) != word_load(b + at, 8))
            return false;
    return word_load(a + length - 8, 8) == word_load(b + length - 8, 8);
}

typedef uint64_t word_pair __attribute__((vector_size(16), aligned(8), may_alias));

static inline void word_zero_64(char *at)
{
    *(word_pair *)(void *)at = *(word_pair *)(void *)(at + 16) = (word_pair){0};
    *(word_pair *)(void *)(at + 32) = *(word_pair *)(void *)(at + 48) = (word_pair){0};
}

/* Of a constant size below 256, by plain stores. For more than a few the compiler would take a
 * call, or a string instruction, which takes long to begin. */
static inline __attribute__((always_inline)) void word_zero(void *start, size_t size)
{
    char *at = (char *)start, *end = at + size;
    if (end - at >= 64)
        word_zero_64(at), at += 64;
    if (end - at >= 64)
        word_zero_64(at), at += 64;
    if (end - at >= 64)
        word_zero_64(at), at += 64;
    if (end - at >= 32) {
        *(word_pair *)(void *)at = *(word_pair *)(void *)(at + 16) = (word_pair){0};
        at += 32;
    }
    memset(at, 0, (size_t)(end - at));
}
#endif
