/* Values of a query or a form: "name=value&name=value" (WHATWG URL, 5.1). Pure. */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H
#include <stdbool.h>
#include <stddef.h>

/* The first value of `name` in text[0..length): its place there, still encoded. NULL: none. */
const char *form_find(const char *text, size_t length, const char *name, size_t *value_length);
/* Decodes into `out`, which has room for length + 1 bytes, and ends it with NUL. A NUL in the value
 * ends it too: texts cannot hold one. */
void form_decode(const char *text, size_t length, char *out);
#endif
