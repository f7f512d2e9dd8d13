/* One route of the static handler, as it is configured. */
#ifndef STATIC_FOLDER_H
#define STATIC_FOLDER_H
#include <stdbool.h>
#include <stddef.h>

#include "cache.h"
#include "extra.h"
#include "types.h"

/* What is tried behind a name, in this order. */
struct endings {
    const char **list;
    size_t count;
};

/* Constant once configured; freed when the worker exits. */
struct folder {
    struct folder *next;
    int root;
    unsigned unwaiting; /* how the loop opens names below it, see below_unwaiting() */
    bool symlinks; /* links may lead anywhere */
    bool dotfiles; /* names that begin with a dot are served */
    bool listing;  /* a folder without index is listed, */
    size_t limit;  /* up to so many entries */
    struct types types;
    struct endings index;      /* of a folder */
    struct endings extensions; /* of a name that is not there */
    const char *fallback; /* a file below the root, without the first "/"; "": none */
    struct extra extra;
    struct cache *cache;  /* of ready answers; NULL: none are kept */
};
#endif
