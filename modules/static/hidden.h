/* Names that begin with a dot: not for the web, except the registry of RFC 8615. Pure. */
#ifndef STATIC_HIDDEN_H
#define STATIC_HIDDEN_H
#include <stdbool.h>
#include <string.h>

/* "/.well-known", or something below it. */
static inline bool hidden_is_well_known(const char *path)
{
    static const char known[] = "/.well-known";
    const size_t length = sizeof known - 1;
    return strncmp(path, known, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Whether a name in this path, which begins with "/", begins with a dot. */
static inline bool hidden_in(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/.")) != NULL; at++)
        if (at != path || !hidden_is_well_known(path))
            return true;
    return false;
}
#endif
