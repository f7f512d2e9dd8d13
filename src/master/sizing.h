/* When a worker has lasted long enough, and how many workers there should be. Pure arithmetic: what
 * was seen goes in, what is to be done comes out; nothing here asks the system for anything. */
#ifndef MASTER_SIZING_H
#define MASTER_SIZING_H
#include <stdbool.h>
#include <stdint.h>

/* ---------------------------------------------------------------- a worker's life -- */

/* Requests answered, age in ms, memory in bytes: of a worker, or its limits (0: none). */
struct sizing_life {
    int64_t requests, age, memory;
};
enum sizing_reason { SIZING_NONE, SIZING_REQUESTS, SIZING_AGE, SIZING_MEMORY };

/* A limit as it holds for one worker: `percent` of it and `draw` of 65536 parts decide how much is
 * added, so that workers which began together do not all end together. 0 stays 0. */
int64_t sizing_limit(int64_t limit, int percent, unsigned draw);
/* What a worker has reached, the first in the order of the enum. */
enum sizing_reason sizing_reached(const struct sizing_life *life, const struct sizing_life *limits);

/* ---------------------------------------------------------------- their number ------ */

/* A number that is followed when it has been seen twice: CPUs that go and come back at once make
 * nobody start and end. */
struct sizing_steady {
    int seen; /* last time; 0: never */
};
/* True: `value` differs from `now` and was seen last time too. */
bool sizing_steady(struct sizing_steady *steady, int now, int value);

/* How many workers there may be, and how many of their threads are to be spare. */
struct sizing_rule {
    int workers_min, workers_max;
    int threads; /* of a worker */
    int spare_min, spare_max;
    int64_t spare_time; /* ms of surplus after which one worker ends */
};
/* What is seen. */
struct sizing_view {
    int workers;  /* wanted now */
    int starting; /* of these, not ready: their threads count as spare */
    int busy;     /* threads of those that are ready */
    int64_t now;  /* ms, of a clock that only goes on */
};
struct sizing_growth {
    int step;              /* workers started the last time; 0: demand was met since */
    int64_t surplus_since; /* 0: no surplus */
    struct sizing_steady cpus;
};
#define SIZING_STEP_MOST 32

/* Threads with nothing to do; below zero if more are busy than were thought to exist. */
int sizing_spare(const struct sizing_rule *rule, const struct sizing_view *view);
/* The number of workers that is wanted from now on. */
int sizing_wanted(const struct sizing_rule *rule, struct sizing_growth *growth,
                  const struct sizing_view *view);
#endif
