/* A hashed timer wheel, lazy: a timer is moved only to an earlier time. One that fires before its
 * real deadline (which its owner has meanwhile put off) is armed again by the owner. So a
 * connection that sets its deadline with every request costs the wheel nothing per request.
 *
 * Thread: the loop's. Memory: timers are embedded in their owners; no allocation. */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H
#include <stdint.h>

#include "base/list.h"

#define WHEEL_SLOTS 1024
#define WHEEL_TICK 16 /* ms: a timer fires up to this late, never early */

struct wheel_timer {
    struct list node;
    int64_t tick; /* for which it is queued; 0: not queued */
};

struct wheel {
    int64_t tick; /* the last one that was run */
    unsigned queued;
    uint64_t map[WHEEL_SLOTS / 64]; /* a bit for each slot that may hold timers */
    struct list slots[WHEEL_SLOTS];
};

/* The timer has been taken off the wheel; arm it again if it is not yet due. */
typedef void wheel_due_f(struct wheel_timer *timer);

void wheel_init(struct wheel *wheel, int64_t now);
void wheel_timer_init(struct wheel_timer *timer);
/* Sees to it that the timer fires at `when` (ms) or before. */
void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, int64_t when);
void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer); /* harmless when not queued */
void wheel_run(struct wheel *wheel, int64_t now, wheel_due_f *due);
/* Milliseconds until wheel_run has something to do; -1: never. */
int64_t wheel_next(const struct wheel *wheel, int64_t now);
#endif
