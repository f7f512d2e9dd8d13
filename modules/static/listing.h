/* What a folder without an index file holds, as a page for people or as JSON for programs. */
#ifndef STATIC_LISTING_H
#define STATIC_LISTING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "reeve/http.h"

/* Where the folder is, and what of it may be shown. */
struct listing_source {
    int root;         /* of the route */
    const char *name; /* of the folder below it: "" or with "/" at the end */
    bool symlinks;    /* may lead out of the root */
    bool dotfiles;    /* are shown */
    size_t limit;     /* most entries that are looked at */
};

/* Answers with the folder `fd`, opened for reading, which is taken. Reads the disk: where a thread
 * may wait. Returns what reeve_reply() does. */
int listing_reply(reeve_request *request, int fd, const struct listing_source *source);

/* For the option table of the handler. */
#define LISTING_OPTIONS                                                                            \
    {.name = "listing", .type = REEVE_OPT_BOOL, .fallback = "off",                                 \
     .help = "Whether a folder without index file is answered with a list of what it holds: a "    \
             "page, or JSON if the client prefers application/json. If off, the answer is 403."},  \
    {.name = "listing_limit", .type = REEVE_OPT_INT, .fallback = "10000", .min = 1, .max = 1000000,\
     .help = "Most entries of a folder that are looked at for a list. If it holds more, the page " \
             "says so, and the answer has the field Listing-Limit."}

/* ---- between listing.c and listing-write.c */
struct listing_entry {
    char *name;
    bool folder;
    uint64_t size;   /* of a file */
    time_t modified;
};
struct listing {
    struct listing_entry *entries; /* folders first, each kind by name */
    size_t count, room;
    bool cut;                      /* the folder holds more than was looked at */
};

/* Any thread. The stream's error flag says whether all was written. `parent`: there is a folder
 * above it. */
void listing_write_page(FILE *out, const struct listing *listing, const char *path, bool parent);
void listing_write_json(FILE *out, const struct listing *listing);
#endif
