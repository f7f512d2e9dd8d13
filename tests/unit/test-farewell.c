/* When idle connections of a loop that drains are closed, by a clock of the test's own; and that no
 * end crosses a request that has come. */
#include "config.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/farewell.h"
#include "rig.h"
#include "talk.h"
#include "unit.h"

enum { CONNECTIONS = 1000, START = 12345 };

static const int64_t lingers[] = {1, 3, 10, 50, 63, 64, 65, 100, 1000, 1001, 60000};

static struct farewell farewell;
static unsigned char left[CONNECTIONS];
static int64_t ended[CONNECTIONS]; /* ms after it was given its time, -1: not yet */

/* One look at all of them: how many are over in it. */
static int look(int64_t now, unsigned passed)
{
    int over = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        if (ended[i] >= 0 || !farewell_is_over(&farewell, &left[i], passed))
            continue;
        ended[i] = now - START;
        over++;
    }
    return over;
}

static void begin(int64_t linger, unsigned turn)
{
    farewell = (struct farewell){.turn = turn};
    memset(left, 0, sizeof left);
    memset(ended, -1, sizeof ended);
    farewell_begin(&farewell, START, linger);
    ck_assert_int_eq(look(START, 0), 0);
}

/* Looks each time that it asks for one. */
START_TEST(spread_over_the_second_half)
{
    int64_t linger = lingers[_i];
    int looks = 0, batches = 0, open = CONNECTIONS;
    int ticks_a_look = (int)(FAREWELL_TICKS / linger) + 2; /* a clock in ms counts no finer */
    int most = (CONNECTIONS / FAREWELL_BATCHES + 1) * ticks_a_look;
    begin(linger, 7);
    while (open) {
        int64_t now = farewell.at;
        ck_assert_int_le(now, START + linger);
        int over = look(now, farewell_passed(&farewell, now, linger));
        ck_assert_int_le(over, most);
        ck_assert_int_gt(farewell.at, now);
        batches += over > 0;
        open -= over;
        looks++;
    }
    for (int i = 0; i < CONNECTIONS; i++)
        ck_assert_int_ge(2 * ended[i], linger);
    if (linger >= FAREWELL_TICKS)
        ck_assert_int_eq(batches, FAREWELL_BATCHES);
    ck_assert_int_le(looks, FAREWELL_TICKS);
}
END_TEST

START_TEST(all_at_once_without_a_linger)
{
    begin(0, 0);
    ck_assert_int_eq(farewell.at, START);
    ck_assert_int_eq(look(START, farewell_passed(&farewell, START, 0)), CONNECTIONS);
}
END_TEST

/* A loop that was stopped for long has nobody wait longer for that. */
START_TEST(a_late_look)
{
    begin(1000, 0);
    ck_assert_int_eq(look(START + 999999, farewell_passed(&farewell, START + 999999, 1000)),
                     CONNECTIONS);
}
END_TEST

/* Who comes in the course of it has as much time as the others had. */
START_TEST(later_ones_have_their_time)
{
    unsigned char late = 0;
    begin(1000, 0);
    look(START + 900, farewell_passed(&farewell, START + 900, 1000));
    farewell_begin(&farewell, START + 900, 1000); /* changes nothing */
    ck_assert(!farewell_is_over(&farewell, &late, 0));
    for (int64_t now = START + 910; now < START + 1400; now += 10)
        ck_assert(!farewell_is_over(&farewell, &late, farewell_passed(&farewell, now, 1000)));
    ck_assert(farewell_is_over(&farewell, &late, farewell_passed(&farewell, START + 1900, 1000)));
}
END_TEST

START_TEST(neighbours_differ)
{
    unsigned char seen[256] = {0};
    for (unsigned loop = 0; loop < FAREWELL_BATCHES; loop++) { /* of one connection */
        struct farewell own = {.turn = 4711 + loop};
        unsigned char ticks = 0;
        farewell_begin(&own, START, 1000);
        ck_assert(!farewell_is_over(&own, &ticks, 0));
        ck_assert(!seen[ticks]++);
    }
}
END_TEST

/* ---------------------------------------------------------------- in a loop ------------- */

static struct rig rig;
static atomic_bool held, goes_on;
static atomic_int hold_at; /* steps; 0: when it drains */

static bool is_time_to_hold(void)
{
    int steps = atomic_load(&hold_at);
    return steps ? atomic_load(&talk_counts.steps) >= steps : atomic_load(&rig.engine.draining);
}

static bool turn_end(int events)
{
    (void)events;
    if (is_time_to_hold() && !atomic_load(&goes_on)) {
        atomic_store(&held, true);
        for (int rounds = 0; !atomic_load(&goes_on);)
            ck_assert(rig_pause(&rounds));
    }
    return false;
}

static void pass(int64_t ms)
{
    int64_t until = clock_fresh_ms() + ms;
    rig_until(clock_fresh_ms() > until);
}

/* The loop turns to `busy` in the turn in which the idle one's time is over, and while it does that
 * the idle one asks. */
static void ask_behind(int busy, int idle)
{
    rig_put(busy, "job\n");
    atomic_store(&goes_on, true);
    rig_until(atomic_load(&talk_counts.started) == 1);
    rig_put(idle, "echo y\n");
    talk_release(1);
    rig_expect(busy, "done\n");
}

/* A loop that can be held, and two connections, of which one is idle. */
static void connect_two(enum wait_kind wait, int *idle, int *busy)
{
    rig.protocol = &talk;
    rig.wait = wait;
    rig.turn_end = turn_end;
    rig_start(&rig);
    rig_command(&rig, LOOP_SERVE);
    *idle = rig_connect(&rig, 0);
    *busy = rig_connect(&rig, 0);
    rig_put(*busy, "busy\n");
    rig_expect(*busy, "ok\n");
}

START_TEST(no_drain_crosses_a_request)
{
    int idle, busy;
    rig.drain_linger = 1;
    connect_two(rig_waits[_i], &idle, &busy);
    rig_put(idle, "echo x\n");
    rig_expect(idle, "x\n");
    rig_command(&rig, LOOP_DRAIN);
    rig_until(atomic_load(&held));
    pass(rig.drain_linger);
    ask_behind(busy, idle);
    rig_expect(idle, "y\ndrained\n");
    rig_expect_end(idle);
    rig_put(busy, "idle\n");
    rig_expect(busy, "drained\n");
    rig_end(&rig);
}
END_TEST

START_TEST(no_deadline_crosses_a_request)
{
    int idle, busy;
    connect_two(rig_waits[_i], &idle, &busy);
    atomic_store(&hold_at, atomic_load(&talk_counts.steps) + 1);
    rig_put(idle, "deadline 1\n");
    rig_expect(idle, "ok\n");
    rig_until(atomic_load(&held));
    pass(100); /* the wheel counts in larger steps than the clock */
    ask_behind(busy, idle);
    rig_expect(idle, "y\nexpired\n"); /* its protocol does not move the deadline */
    rig_expect_end(idle);
    rig_stop(&rig);
}
END_TEST

UNIT_MAIN("farewell", EACH(spread_over_the_second_half, lingers),
          ONCE(all_at_once_without_a_linger), ONCE(a_late_look), ONCE(later_ones_have_their_time),
          ONCE(neighbours_differ), EACH(no_drain_crosses_a_request, rig_waits),
          EACH(no_deadline_crosses_a_request, rig_waits))
