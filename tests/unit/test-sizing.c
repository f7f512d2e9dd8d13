/* When a worker is replaced, and how many there should be: tables of what is seen and what follows. */
#include "config.h"

#include "master/sizing.h"
#include "unit.h"

/* ---------------------------------------------------------------- limits ----------- */

static const struct {
    int64_t limit;
    int percent;
    unsigned draw;
    int64_t want;
} limits[] = {
    {0, 10, 65535, 0},           /* off stays off */
    {1000, 0, 65535, 1000},
    {1000, 10, 0, 1000},
    {1000, 10, 32768, 1050},
    {1000, 10, 65535, 1099},
    {1000, 10, 65536, 1000},     /* only 65536 parts */
    {1000, 100, 65535, 1999},
    {7, 10, 65535, 7},           /* too small for a tenth */
    {19, 10, 65535, 19},
    {199, 100, 32768, 298},
    {INT64_C(1) << 50, 100, 32768, (INT64_C(1) << 50) + (INT64_C(1) << 49)},
};

START_TEST(limit_of_one_worker)
{
    ck_assert_int_eq(sizing_limit(limits[_i].limit, limits[_i].percent, limits[_i].draw),
                     limits[_i].want);
}
END_TEST

START_TEST(limits_are_spread_evenly)
{
    int below = 0;

    for (unsigned draw = 0; draw < 65536; draw++) {
        int64_t limit = sizing_limit(1000000, 10, draw);

        ck_assert_int_ge(limit, 1000000);
        ck_assert_int_lt(limit, 1100000);
        below += limit < 1050000;
    }
    ck_assert_int_eq(below, 32768);
}
END_TEST

static const struct {
    struct sizing_life life, limits;
    enum sizing_reason want;
} lives[] = {
    {{1000000, 1000000, 1000000}, {0, 0, 0}, SIZING_NONE},
    {{99, 0, 0}, {100, 0, 0}, SIZING_NONE},
    {{100, 0, 0}, {100, 0, 0}, SIZING_REQUESTS},
    {{0, 999, 0}, {0, 1000, 0}, SIZING_NONE},
    {{0, 1000, 0}, {0, 1000, 0}, SIZING_AGE},
    {{0, 0, 4095}, {0, 0, 4096}, SIZING_NONE},
    {{0, 0, 4096}, {0, 0, 4096}, SIZING_MEMORY},
    {{5, 5, 5}, {6, 5, 5}, SIZING_AGE},
    {{5, 5, 5}, {5, 5, 5}, SIZING_REQUESTS},
    {{0, 5, 0}, {1, 6, 1}, SIZING_NONE}, /* memory that is not known is not too much */
};

START_TEST(reached)
{
    ck_assert_int_eq(sizing_reached(&lives[_i].life, &lives[_i].limits), lives[_i].want);
}
END_TEST

UNIT_MAIN("sizing", EACH(limit_of_one_worker, limits), ONCE(limits_are_spread_evenly),
          EACH(reached, lives))
