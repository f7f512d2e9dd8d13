/* When to start a worker again after it ended by itself. Pure arithmetic. */
#ifndef MASTER_BACKOFF_H
#define MASTER_BACKOFF_H
#include <stdint.h>

#define BACKOFF_FIRST 100      /* ms: the second failure in a row waits this long */
#define BACKOFF_CAP 30000      /* ms: no wait is longer */
#define BACKOFF_SICK 1000      /* ms: a worker that was short of resources waits at least this */
#define BACKOFF_PROVEN 10000   /* ms of service after which a failure counts as the first again */

enum backoff_cause { BACKOFF_LEFT, BACKOFF_CRASHED, BACKOFF_WAS_SICK, BACKOFF_REFUSED };

struct backoff {
    int failures; /* in a row */
};

/* The worker ended by `cause` after `served` ms as READY (0: never was). Returns the delay in ms
 * before the next start: 0 the first time, then doubling to the cap. A worker that was asked to
 * leave does not count. One whose configuration or module was refused, which can only happen to a
 * respawned worker, waits the whole cap: something on disk is being changed. */
int64_t backoff_next(struct backoff *backoff, enum backoff_cause cause, int64_t served);
#endif
