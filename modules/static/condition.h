/* Preconditions of a request for something that is there (RFC 9110, 13). Pure; any thread. */
#ifndef STATIC_CONDITION_H
#define STATIC_CONDITION_H
#include <stdbool.h>
#include <stdint.h>

/* What the answer would tell of the file. */
struct condition_state {
    const char *tag;  /* the entity tag, in its quotes; behind W/ if weak */
    int64_t modified; /* Last-Modified, in seconds since the epoch */
    int64_t now;
};

/* The fields as they came, each NULL if it did not. */
struct condition_fields {
    const char *match, *none_match, *unmodified_since, *modified_since;
};

enum condition_result {
    CONDITION_TRUE,       /* answer as without any */
    CONDITION_UNMODIFIED, /* 304 */
    CONDITION_FALSE,      /* 412 */
};

/* For GET and HEAD, in the order of RFC 9110, 13.2.2. */
enum condition_result condition_check(const struct condition_fields *fields,
                                      const struct condition_state *state);
/* Whether a Range may be heeded that came with this If-Range; NULL: it came with none. */
bool condition_range(const char *if_range, const struct condition_state *state);
#endif
