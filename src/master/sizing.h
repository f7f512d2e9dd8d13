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
#endif
