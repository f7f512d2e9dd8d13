/* The timer wheel against a plain list of deadlines. */
#include "config.h"

#include <stdlib.h>

#include "net/wheel.h"
#include "unit.h"

#define START 1000000

struct item {
    struct wheel_timer timer;
    int64_t deadline; /* 0: none */
    int64_t fired;
    int woken;
};

static struct wheel wheel;
static int64_t now;
static struct item *victim;

static void due(struct wheel_timer *timer)
{
    struct item *item = list_entry(timer, struct item, timer);
    item->woken++;
    if (!item->deadline)
        return;
    if (item->deadline > now) {
        wheel_arm(&wheel, timer, item->deadline);
        return;
    }
    ck_assert_int_eq(item->fired, 0);
    item->fired = now;
    item->deadline = 0;
    if (victim)
        wheel_cancel(&wheel, &victim->timer);
}

static void set(struct item *item, int64_t deadline)
{
    item->deadline = deadline;
    wheel_arm(&wheel, &item->timer, deadline);
}

static void begin(void)
{
    now = START;
    victim = NULL;
    wheel_init(&wheel, now);
}

static void run_until(int64_t end)
{
    for (;;) {
        int64_t wait = wheel_next(&wheel, now);
        if (wait < 0 || now + wait > end)
            break;
        now += wait;
        wheel_run(&wheel, now, due);
    }
    now = end;
    wheel_run(&wheel, now, due);
}

START_TEST(fires_in_time)
{
    static const int64_t spans[] = {0, 1, 15, 16, 17, 500, 16000, 16384, 16385, 60000, 3600000};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct item item = {0};
        begin();
        wheel_timer_init(&item.timer);
        set(&item, START + spans[i]);
        run_until(START + 2 * 3600000);
        ck_assert_int_ge(item.fired, START + spans[i]);
        ck_assert_int_lt(item.fired, START + spans[i] + 2 * WHEEL_TICK);
        ck_assert_int_eq(wheel_next(&wheel, now), -1);
    }
}
END_TEST

START_TEST(late_deadline_is_a_store)
{
    struct item item = {0};
    begin();
    wheel_timer_init(&item.timer);
    set(&item, START + 5000);
    for (int i = 1; i <= 1000; i++) /* put off: the wheel does not hear of it */
        item.deadline = START + 5000 + i * 10;
    run_until(START + 60000);
    ck_assert_int_eq(item.woken, 2);
    ck_assert_int_ge(item.fired, START + 15000);
}
END_TEST

START_TEST(earlier_deadline_moves)
{
    struct item item = {0};
    begin();
    wheel_timer_init(&item.timer);
    set(&item, START + 9000);
    set(&item, START + 100);
    ck_assert_int_le(wheel_next(&wheel, now), 100 + WHEEL_TICK);
    run_until(START + 200);
    ck_assert_int_ge(item.fired, START + 100);
}
END_TEST

START_TEST(cancel)
{
    struct item item = {0}, same = {0};
    begin();
    wheel_timer_init(&item.timer);
    wheel_timer_init(&same.timer);
    wheel_cancel(&wheel, &item.timer);
    set(&item, START + 100);
    set(&same, START + 100);
    victim = &same; /* one due timer takes the other away */
    run_until(START + 1000);
    ck_assert_int_ne(item.fired, 0);
    ck_assert_int_eq(same.fired, 0);
    ck_assert_int_eq(same.woken, 0);
    ck_assert_int_eq(wheel_next(&wheel, now), -1);
}
END_TEST

START_TEST(long_sleep)
{
    struct item item = {0};
    begin();
    wheel_timer_init(&item.timer);
    now = START + 3600000; /* nothing was armed for an hour, the wheel was not run */
    set(&item, now + 5000);
    run_until(now + 4900);
    ck_assert_int_eq(item.fired, 0);
    run_until(now + 300);
    ck_assert_int_ne(item.fired, 0);
}
END_TEST

START_TEST(many)
{
    enum { COUNT = 2000 };
    static struct item items[COUNT];
    static int64_t wanted[COUNT];
    begin();
    srand(1);
    for (int i = 0; i < COUNT; i++) {
        items[i] = (struct item){0};
        wheel_timer_init(&items[i].timer);
        wanted[i] = START + rand() % 100000;
        set(&items[i], wanted[i]);
    }
    run_until(START + 200000);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_ge(items[i].fired, wanted[i]);
        ck_assert_int_lt(items[i].fired, wanted[i] + 2 * WHEEL_TICK);
    }
}
END_TEST

UNIT_MAIN("wheel", ONCE(fires_in_time), ONCE(late_deadline_is_a_store),
          ONCE(earlier_deadline_moves), ONCE(cancel), ONCE(long_sleep), ONCE(many))
