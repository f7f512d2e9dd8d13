/* The request target and its path. Pure: no I/O, no allocation. */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

static inline void target_split_query(const char *text, size_t length, struct target *target)
{
    const char *mark = (const char *)memchr(text, '?', length);
    target->path = text;
    target->path_length = mark != NULL ? (size_t)(mark - text) : length;
    target->query = mark != NULL ? mark + 1 : text + length;
    target->query_length = (size_t)(text + length - target->query);
}

enum target_form target_split_other(const char *text, size_t length, struct target *target);

/* "/a?b", "http://host/a?b" or "*". Fills *target except for ASTERISK and BAD. */
static inline enum target_form target_split(const char *text, size_t length, struct target *target)
{
    target->host = NULL;
    target->host_length = 0;
    target->secure = target->bare = false;
    if (length == 0 || text[0] != '/')
        return target_split_other(text, length, target);
    target_split_query(text, length, target);
    return TARGET_ORIGIN;
}

/* Decodes %XX, resolves "." and "..", joins slashes. `out` has room for length + 2 bytes and ends
 * with NUL. False: a malformed escape, a NUL, or a way out above the root. */
bool path_decode(const char *path, size_t length, char *out, size_t *out_length);

/* A host with or without port, as in Host and in an authority: RFC 9110, 7.2. Gives the length of
 * the name at its beginning, without port and final dot. Empty is good, false is malformed. */
bool host_name(const char *host, size_t length, size_t *name_length);
#endif
