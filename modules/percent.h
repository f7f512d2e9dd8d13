/* Percent-encoding of paths (RFC 3986, 2.1 and 3.3), for modules that write links. Pure. */
#ifndef MODULES_PERCENT_H
#define MODULES_PERCENT_H
#include <stdio.h>
#include <string.h>

/* What stands anywhere as it is (RFC 3986, 2.3), also in a segment of a relative link: with ":" a
 * name could be taken for a scheme. */
#define PERCENT_PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
/* What stands in a path as it is. */
#define PERCENT_PATH PERCENT_PLAIN "/!$&'()*+,;=:@"

/* Appends `text`; what is none of `plain` as %XX. The end; there must be room for three times the
 * text and a NUL. */
static inline char *percent_put(char *at, const char *text, const char *plain)
{
    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            *at++ = *text;
        else
            at += sprintf(at, "%%%02X", (unsigned)(unsigned char)*text);
    }
    return at;
}
#endif
