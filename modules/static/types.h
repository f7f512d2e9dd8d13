/* Media types by file extension. */
#ifndef STATIC_TYPES_H
#define STATIC_TYPES_H
#include <stddef.h>

#include "reeve/module.h"

/* The types of one route: what differs there from the tables that all routes share. Constant once
 * configured. */
struct types {
    struct media_type *rows; /* sorted by extension; owns its texts */
    size_t count, room;
    char *fallback;          /* where no extension is known; owned */
};

/* Reads a mime.types file in addition to the built-in table; a missing one is none. Main thread,
 * once, before types_read(). */
void types_load(const char *path);
/* What types_load() has read. */
void types_unload(void);

/* Reads the options `types`, `default_type` and `charset` of a route into `types`, which must be
 * zeroed. 0, or -1 after reeve_conf_error(); to be freed in both cases. Main thread. */
int types_read(const reeve_section *section, struct types *types);
void types_free(struct types *types);

/* The Content-Type of a file name, charset included; "" if the route gives none. Any thread. */
const char *types_find(const struct types *types, const char *name);

/* For the option table of the handler. */
#define TYPES_OPTIONS                                                                              \
    {.name = "types", .type = REEVE_OPT_LIST,                                                      \
     .help = "Media types by file extension, such as \"md text/plain\". They come before the "     \
             "built-in ones and those of /etc/mime.types."},                                       \
    {.name = "default_type", .type = REEVE_OPT_STRING, .fallback = "application/octet-stream",     \
     .help = "The media type of files whose extension is not known. If empty, their answers have " \
             "no Content-Type."},                                                                  \
    {.name = "charset", .type = REEVE_OPT_STRING, .fallback = "utf-8",                             \
     .help = "The character set that is told with types that begin with text/, where their own "   \
             "entry names none. If empty, none is told."}
#endif
