/* From the words of the command line to a request line. */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "share/control.h"

struct verb_info {
    const char *name, *arguments, *help;
    enum control_access access;
};
extern const struct verb_info verb_table[VERBS];

#define REQUEST_FOREVER (-1)

struct request {
    enum verb verb;
    struct buf line;    /* as sent, newline included; owned */
    bool watch;         /* status --watch */
    bool follow;        /* events, slow --follow: there is no result */
    int64_t wait, probation; /* reload: seconds; wait -1: as long as it takes as a rule */
    bool until_closed;  /* it is done when the server is gone */
    int64_t limit;      /* ms until the client gives up, or REQUEST_FOREVER */
};

/* The name of an option of a verb (and its value, if that is in the same word): "follow" of
 * "--follow" and "-f", "wait=5" of "--wait=5". NULL: the word is none. */
const char *request_option(const char *word);
/* words[0] is the verb. False with one line in `error`. */
bool request_build(struct request *request, char *const *words, size_t count, struct buf *error);
void request_free(struct request *request);
#endif
