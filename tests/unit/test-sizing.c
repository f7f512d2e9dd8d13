/* When a worker is replaced, and how many there should be: what is seen, and what follows. */
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

/* ---------------------------------------------------------------- their number ------ */

START_TEST(cpus_are_believed_when_seen_twice)
{
    static const struct {
        int now, value;
        bool want;
    } looks[] = {{4, 4, false}, {4, 2, false}, {4, 4, false}, {4, 2, false}, {4, 2, true},
                 {2, 2, false}, {2, 2, false}, {2, 8, false}, {2, 3, false}, {2, 3, true}};
    struct sizing_steady steady = {0};

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        ck_assert_msg(sizing_steady(&steady, looks[i].now, looks[i].value) == looks[i].want,
                      "look %zu", i);
}
END_TEST

/* A story: in each round so many of the workers are starting and so many threads are busy; what is
 * wanted then. The number of workers is what was wanted before. A round takes a second. */
struct round {
    int starting, busy, want;
};
static const struct {
    const char *name;
    struct sizing_rule rule;
    int workers;
    struct round rounds[16];
} stories[] = {
    {"nothing to do", {1, 8, 4, 2, 10, 3000}, 2, {{0, 0, 2}, {0, 6, 2}, {0, 3, 2}}},
    {"one, two, four, and no more than may be", {1, 8, 4, 2, 40, 3000}, 1,
     {{0, 4, 2}, {0, 8, 4}, {0, 16, 8}, {0, 32, 8}, {0, 32, 8}}},
    {"what is starting counts as spare", {1, 8, 4, 2, 40, 3000}, 1,
     {{0, 4, 2}, {1, 4, 2}, {1, 4, 2}, {0, 8, 4}, {1, 11, 4}}},
    {"doubling begins anew when demand was met", {1, 32, 4, 2, 40, 3000}, 1,
     {{0, 4, 2}, {0, 8, 4}, {0, 9, 4}, {0, 15, 5}}},
    {"and does not while workers start", {1, 32, 4, 2, 40, 3000}, 1,
     {{0, 4, 2}, {0, 8, 4}, {1, 12, 4}, {0, 16, 8}}},
    {"no more at once than may be spare", {1, 64, 1, 1, 3, 3000}, 4,
     {{0, 4, 5}, {0, 5, 7}, {0, 7, 10}, {0, 10, 13}}},
    {"more are busy than were thought to exist", {1, 64, 1, 1, 3, 3000}, 4, {{0, 9, 5}}},
    {"one less when the surplus has lasted", {1, 8, 4, 2, 10, 3000}, 4,
     {{0, 0, 4}, {0, 0, 4}, {0, 0, 4}, {0, 0, 3}, {0, 0, 3}, {0, 0, 3}, {0, 0, 2}, {0, 0, 2}}},
    {"a surplus that was interrupted begins anew", {1, 8, 4, 2, 10, 3000}, 4,
     {{0, 0, 4}, {0, 0, 4}, {0, 6, 4}, {0, 0, 4}, {0, 0, 4}, {0, 0, 4}, {0, 0, 3}}},
    {"none ends while another starts", {1, 8, 4, 2, 10, 1000}, 4,
     {{1, 0, 4}, {1, 0, 4}, {1, 0, 4}, {0, 0, 4}, {0, 0, 3}}},
    {"never below the fewest", {2, 8, 4, 2, 6, 1000}, 3,
     {{0, 0, 3}, {0, 0, 2}, {0, 0, 2}, {0, 0, 2}}},
    {"a number below the range", {3, 8, 4, 2, 6, 1000}, 1, {{0, 0, 3}}},
    {"a number above the range", {1, 4, 4, 2, 6, 1000}, 9, {{0, 36, 4}}},
    {"never more than 32 at once", {1, 256, 1, 200, 1000, 1000}, 1,
     {{0, 1, 2}, {0, 2, 4}, {0, 4, 8}, {0, 8, 16}, {0, 16, 32}, {0, 32, 64}, {0, 64, 96},
      {0, 96, 128}}},
    {"one size for ever", {4, 4, 4, 2, 6, 1000}, 4, {{0, 16, 4}, {0, 0, 4}, {0, 0, 4}, {0, 0, 4}}},
};

START_TEST(demand)
{
    struct sizing_growth growth = {0};
    int workers = stories[_i].workers;

    for (int i = 0; i < 16 && stories[_i].rounds[i].want; i++) {
        const struct round *round = &stories[_i].rounds[i];
        struct sizing_view view = {.workers = workers, .starting = round->starting,
                                   .busy = round->busy, .now = 1000000 + i * 1000};

        workers = sizing_wanted(&stories[_i].rule, &growth, &view);
        ck_assert_msg(workers == round->want, "%s, round %d: %d, not %d", stories[_i].name, i,
                      workers, round->want);
    }
}
END_TEST

UNIT_MAIN("sizing", EACH(limit_of_one_worker, limits), ONCE(limits_are_spread_evenly),
          EACH(reached, lives), ONCE(cpus_are_believed_when_seen_twice), EACH(demand, stories))
