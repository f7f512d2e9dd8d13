/* Percent-encoding of paths (RFC 3986, 2.1 and 3.3), for modules that write a Location. Pure. */
#ifndef MODULES_PERCENT_H
#define MODULES_PERCENT_H
#include <stdio.h>
#include <string.h>

/* What stands in a path as it is. */
#define PERCENT_PATH                                                                               \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=:@"

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
