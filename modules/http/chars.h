/* The character classes of a head. Pure. */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H
#include <stdbool.h>
#include <stddef.h>

enum { CHARS_TOKEN = 1, CHARS_VALUE = 2, CHARS_TARGET = 4 };

extern const unsigned char chars_classes[256];

static inline bool chars_is(char c, unsigned class)
{
    return (chars_classes[(unsigned char)c] & class) != 0;
}

/* How many bytes of that class `data` begins with. */
static inline size_t chars_span(const char *data, size_t length, unsigned class)
{
    size_t n = 0;
    while (n < length && chars_is(data[n], class))
        n++;
    return n;
}
#endif
