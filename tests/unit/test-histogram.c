/* The benchmark's histogram against a sorted list of the same values. */
#include "config.h"

#include <stdlib.h>

#include "tests/bench/histogram.h"
#include "unit.h"

#define VALUES 20000

static struct histogram histogram; /* each test has a process of its own */
static uint64_t values[VALUES];

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* What histogram_at promises, of a sorted list. */
static uint64_t exactly_at(double share)
{
    size_t rank = (size_t)(share * VALUES);

    if ((double)rank < share * VALUES || rank == 0)
        rank++;
    return values[rank - 1];
}

START_TEST(empty_is_zero)
{
    ck_assert_uint_eq(histogram_at(&histogram, 0.5), 0);
    ck_assert_uint_eq(histogram.total, 0);
}
END_TEST

START_TEST(small_values_are_exact)
{
    for (uint64_t value = 1; value <= 100; value++)
        histogram_add(&histogram, value);
    ck_assert_uint_eq(histogram_at(&histogram, 0), 1);
    ck_assert_uint_eq(histogram_at(&histogram, 0.5), 50);
    ck_assert_uint_eq(histogram_at(&histogram, 0.99), 99);
    ck_assert_uint_eq(histogram_at(&histogram, 0.995), 100);
    ck_assert_uint_eq(histogram_at(&histogram, 1), 100);
}
END_TEST

START_TEST(large_values_fit)
{
    histogram_add(&histogram, UINT64_MAX);
    histogram_add(&histogram, UINT64_C(1) << 63);
    ck_assert_uint_eq(histogram_at(&histogram, 1), UINT64_MAX);
    ck_assert_uint_ge(histogram_at(&histogram, 0.5), UINT64_C(1) << 63);
    ck_assert_uint_le(histogram_at(&histogram, 0.5), (UINT64_C(1) << 63) + (UINT64_C(1) << 57));
}
END_TEST

/* Values of every size: never too small, and too large by 1/64 at most. */
START_TEST(near_the_sorted_list)
{
    static const double shares[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

    srandom(7);
    for (int i = 0; i < VALUES; i++) {
        values[i] = (uint64_t)random() >> random() % 31;
        histogram_add(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof(values[0]), by_size);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        uint64_t exact = exactly_at(shares[i]);

        ck_assert_uint_ge(histogram_at(&histogram, shares[i]), exact);
        ck_assert_uint_le(histogram_at(&histogram, shares[i]), exact + exact / 64);
    }
    ck_assert_uint_eq(histogram.total, VALUES);
    ck_assert_uint_eq(histogram.max, values[VALUES - 1]);
}
END_TEST

UNIT_MAIN("histogram", ONCE(empty_is_zero), ONCE(small_values_are_exact), ONCE(large_values_fit),
          ONCE(near_the_sorted_list))
