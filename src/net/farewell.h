/* When idle connections of a worker that drains are closed: see farewell.c. */
#ifndef NET_FAREWELL_H
#define NET_FAREWELL_H
#include <stdbool.h>
#include <stdint.h>

#define FAREWELL_TICKS 64 /* of drain_linger */
#define FAREWELL_BATCHES (FAREWELL_TICKS / 2)

struct farewell {
    int64_t at;    /* ms: when to look again, 0: nobody waits */
    int64_t from;  /* since when ticks are counted */
    int64_t ticks; /* so many at the last look */
    unsigned turn; /* how many have been given their time; begins anywhere */
};

/* Somebody waits from now on. Harmless if somebody does already. */
void farewell_begin(struct farewell *farewell, int64_t now, int64_t linger);
/* At each look: the ticks since the one before, at most FAREWELL_TICKS. */
unsigned farewell_passed(struct farewell *farewell, int64_t now, int64_t linger);
/* One that waits. `left`: its ticks, 0: it has not been given any. True: its time is over. */
bool farewell_is_over(struct farewell *farewell, unsigned char *left, unsigned passed);
#endif
