/* A suspect: a request, known by its fingerprint and its texts, or a module as a whole, that has
 * crashed workers. What is told of it to people, to workers and to the next program; the table of
 * all, and who is in quarantine, is in quarantine.c. */
#ifndef MASTER_SUSPECT_H
#define MASTER_SUSPECT_H
#include <jansson.h>
#include <stdint.h>

#include "base/log.h"
#include "share/words.h"

struct worker;

#define SUSPECT_TIMES 32 /* the most crashes that may be asked for */

struct suspect {
    uint64_t print;  /* 0: the module as a whole */
    char module[WORDS_NAME], method[WORDS_NAME], target[WORDS_TARGET]; /* module "": free */
    int64_t times[SUSPECT_TIMES]; /* of its crashes, CLOCK_MONOTONIC ms; a ring */
    unsigned crashes;
    int64_t until;   /* CLOCK_MONOTONIC ms; 0: it is served */
};

/* Seconds that its quarantine lasts from `now` (CLOCK_MONOTONIC ms), rounded up; 0: it is
 * served. */
int64_t suspect_left(const struct suspect *suspect, int64_t now);
/* A line of the log: its name, and `what` has become of it. */
void suspect_announce(const struct suspect *suspect, enum log_tag tag, const char *what);
/* MSG_QUARANTINE to a worker that serves or is about to. */
void suspect_tell(const struct suspect *suspect, struct worker *worker, int64_t now);
/* What `reevectl quarantine` tells; a new reference. */
json_t *suspect_json(const struct suspect *suspect, int64_t now);
/* For an upgrade: who it is and until when, a new reference; and the same again, a free place if it
 * cannot be used. */
json_t *suspect_put(const struct suspect *suspect);
void suspect_restore(struct suspect *suspect, const json_t *object);
#endif
