/* The request target and its path. Pure: no I/O, no allocation. */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H
#include <stdbool.h>
#include <stddef.h>

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_ASTERISK, TARGET_BAD };

struct target {
    const char *host; /* absolute form: with port, else NULL */
    size_t host_length;
    const char *path; /* still encoded; "/" if the absolute form has none */
    size_t path_length;
    const char *query; /* behind "?", or the target's end */
    size_t query_length;
};

/* "/a?b", "http://host/a?b" or "*". Fills *target except for ASTERISK and BAD. */
enum target_form target_split(const char *text, size_t length, struct target *target);

/* Decodes %XX, resolves "." and "..", joins slashes. `out` has room for length + 2 bytes and ends
 * with NUL. False: a malformed escape, a NUL, or a way out above the root. */
bool path_decode(const char *path, size_t length, char *out, size_t *out_length);

/* The host without port and without a final dot, as a slice of it. False if it is malformed. */
bool host_name(const char *host, size_t length, size_t *name_length);
#endif
