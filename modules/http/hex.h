/* One hexadecimal digit, read and written. */
#ifndef HTTP_HEX_H
#define HTTP_HEX_H
#include <stdint.h>

/* Its value; -1: it is none. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The digit of the lowest four bits, in lower case. */
static inline char hex_digit(uint64_t number)
{
    return "0123456789abcdef"[number & 15];
}
#endif
