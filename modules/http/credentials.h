/* The field Authorization of the scheme Basic (RFC 7617). Pure: no I/O, no allocation. */
#ifndef HTTP_CREDENTIALS_H
#define HTTP_CREDENTIALS_H
#include <stdbool.h>
#include <stddef.h>

/* "Basic dXNlcjpwYXNz" -> "user" and "pass", each ended by NUL, in `out`, which has room for
 * strlen(value) bytes. *password points into it, *length is what of it is used. False: another
 * scheme, malformed, or texts with control characters. */
bool credentials_decode(const char *value, char *out, size_t *length, const char **password);
#endif
