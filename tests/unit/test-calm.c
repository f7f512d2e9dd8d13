/* Which latencies the load counts: a file plays the kernel's account of a thread. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/calm.h"
#include "tests/bench/histogram.h"
#include "unit.h"

static struct histogram histogram; /* each test has a process of its own */
static int account;

/* The thread has waited so many microseconds in all. */
static void waited(unsigned us)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "999999999 %u000 3\n", us);

    ck_assert_int_eq(pwrite(account, text, (size_t)length, 0), length);
}

static void begin(void)
{
    char path[] = "/tmp/reeve-calm-XXXXXX";

    account = mkstemp(path);
    waited(50000);
    ck_assert(calm_watch(path));
    unlink(path);
    calm_begin(0);
}

START_TEST(all_count_where_nobody_is_watched)
{
    calm_begin(0);
    calm_add(0, 7, &histogram);
    calm_look(1000000, &histogram);
    ck_assert_uint_eq(histogram.total, 1);
    ck_assert(calm_share() == 1);
}
END_TEST

START_TEST(a_window_without_a_wait_counts)
{
    begin();
    calm_add(10, 7, &histogram);
    calm_look(1000, &histogram);
    ck_assert_uint_eq(histogram.total, 0); /* it is not over */
    waited(50060);                         /* to be woken is no wait */
    calm_look(2500, &histogram);
    ck_assert_uint_eq(histogram.total, 1);
    ck_assert_uint_eq(histogram.max, 7);
    ck_assert(calm_share() == 1);
}
END_TEST

START_TEST(a_wait_takes_its_window_and_what_began_in_it)
{
    begin();
    calm_add(10, 1, &histogram);
    waited(53000);
    calm_look(3000, &histogram);
    ck_assert_uint_eq(histogram.total, 0);
    calm_add(2900, 1, &histogram); /* it was asked before the disturbance was over */
    calm_add(3100, 2, &histogram);
    calm_look(6000, &histogram);
    ck_assert_uint_eq(histogram.total, 1);
    ck_assert_uint_eq(histogram.max, 2);
    ck_assert(calm_share() == 0.5);
}
END_TEST

START_TEST(what_cannot_be_seen_is_refused)
{
    ck_assert(!calm_watch("/proc/self/task/0/schedstat"));
}
END_TEST

UNIT_MAIN("calm", ONCE(all_count_where_nobody_is_watched), ONCE(a_window_without_a_wait_counts),
          ONCE(a_wait_takes_its_window_and_what_began_in_it), ONCE(what_cannot_be_seen_is_refused))
