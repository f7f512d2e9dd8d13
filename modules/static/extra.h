/* What the operator adds to the answers of a route: Cache-Control and further fields, which
 * precompressed siblings there may be, and what is compressed. Read while configuring, then only
 * read. */
#ifndef STATIC_EXTRA_H
#define STATIC_EXTRA_H
#include <stdbool.h>

#include "accept.h"
#include "gzip.h"
#include "reeve/http.h"

struct extra {
    const char *cache_control; /* "" if none */
    struct extra_field {
        char *name; /* name and value in one allocation */
        const char *value;
    } *fields;
    size_t field_count;
    const struct accept_coding *codings[ACCEPT_CODINGS];
    size_t coding_count;
    struct gzip gzip;
};

/* 0, or -1 after reeve_conf_error(); to be freed in both cases. Main thread. */
int extra_read(const reeve_section *section, struct extra *extra);
void extra_free(struct extra *extra);
/* Adds `fields`, which every answer of the route has. 0, or -1 if memory is short. */
int extra_put(reeve_request *request, const struct extra *extra);

/* Which of the forms in which a file may be sent this client gets, as a number: two clients with
 * the same one get the same answer. */
unsigned extra_variant(const reeve_request *request, const struct extra *extra);
/* Is there more than one? Else all get number 0. */
static inline bool extra_varies(const struct extra *extra)
{
    return extra->coding_count > 0 || extra->gzip.on;
}

/* Rows of the handler's option table. */
#define EXTRA_OPTIONS                                                                              \
    {.name = "precompressed", .type = REEVE_OPT_LIST,                                              \
     .help = "Content codings in which a file may lie beside itself: br (FILE.br), zstd "          \
             "(FILE.zst), gzip (FILE.gz). Of those that the client accepts, the one it likes "     \
             "best is sent, and of equals the first in this list; one that is older than the "     \
             "file is passed over. Answers then say Vary: Accept-Encoding."},                      \
    GZIP_OPTIONS,                                                                                  \
    {.name = "cache_control", .type = REEVE_OPT_STRING,                                            \
     .help = "The Cache-Control of each file that is answered, such as \"max-age=3600\"; errors "  \
             "have none. Nothing: no such field."},                                                \
    {.name = "headers", .type = REEVE_OPT_LIST,                                                    \
     .help = "Fields for every answer of the route, errors too, each a line such as "              \
             "\"X-Content-Type-Options: nosniff\"."}
#endif
