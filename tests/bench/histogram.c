/* See histogram.h. Values below 128 have a bucket each; above, each power of two has 64. */
#include "config.h"

#include "histogram.h"

#define FINE 64 /* buckets for each power of two */

static unsigned shift_of(uint64_t value)
{
    return value < 2 * FINE ? 0 : 57 - (unsigned)__builtin_clzll(value);
}

void histogram_add(struct histogram *h, uint64_t value)
{
    unsigned shift = shift_of(value);

    h->count[shift * FINE + (value >> shift)]++;
    h->total++;
    if (value > h->max)
        h->max = value;
}

static uint64_t largest_in(unsigned bucket)
{
    unsigned shift = bucket < 2 * FINE ? 0 : bucket / FINE - 1;

    return ((bucket - shift * FINE + UINT64_C(1)) << shift) - 1;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
    double exact = share * (double)h->total;
    uint64_t wanted = (uint64_t)exact, seen = 0;

    if ((double)wanted < exact || wanted == 0)
        wanted++;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->count[i];
        if (seen >= wanted)
            return largest_in(i) < h->max ? largest_in(i) : h->max;
    }
    return h->max;
}
