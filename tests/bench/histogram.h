/* A log-linear histogram: values of any size, each known within 1/64 of itself, in fixed memory.
 * Used by one thread; the caller owns it, and all zeros is an empty one. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H
#include <stdint.h>

#define HISTOGRAM_BUCKETS (59 * 64)

struct histogram {
    uint64_t total, max;
    uint64_t count[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/* The least value that is at least as large as this share (0 to 1) of all values: of its bucket the
 * largest value, though never more than the largest that was added. 0 where there are none. */
uint64_t histogram_at(const struct histogram *h, double share);
#endif
