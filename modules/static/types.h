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
#endif
