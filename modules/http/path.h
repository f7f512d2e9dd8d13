/* The request target and its path. Pure: no I/O, no allocation. */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H
#include <stdbool.h>
#include <stddef.h>

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_ASTERISK, TARGET_BAD };

struct target {
    const char *host; /* absolute form: with port, else NULL */
    size_t host_length;
    bool secure;      /* absolute form of the scheme https */
    bool bare;        /* absolute form with neither path nor query */
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

/* A host with or without port, as in Host and in an authority: RFC 9110, 7.2. Gives the length of
 * the name at its beginning, without port and final dot. Empty is good, false is malformed. */
bool host_name(const char *host, size_t length, size_t *name_length);
#endif
