/* The command line of reevectl. */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct options {
    const char *socket; /* NULL: not said */
    bool json, help, version;
    char **words;       /* the verb and what follows; owned array, texts of argv */
    size_t word_count;
};

/* False with a line in `error`. */
bool options_read(struct options *options, int argc, char **argv, struct buf *error);
void options_free(struct options *options);
/* What -h prints, from verbs.def. */
void options_put_usage(struct buf *out);
#endif
