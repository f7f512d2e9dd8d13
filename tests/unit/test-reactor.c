/* The master's wait: the order of timers, and handlers that take away what is about to be handled.
 * The clock is a number of this file, so nothing is waited for. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/reactor.h"
#include "unit.h"

/* ---------------------------------------------------------------- the clock -------- */

#define now clock_kept_ms
_Thread_local int64_t clock_kept_ms = 1000, clock_kept_time;

void clock_refresh(void) {}
int64_t clock_fresh_ms(void) { return now; }
void clock_stamp(char stamp[CLOCK_STAMP]) { stamp[0] = '\0'; }

/* ---------------------------------------------------------------- helpers ---------- */

static char fired[64]; /* the names of what was called, in order */

static void note(void *arg)
{
    strcat(fired, arg);
}

static void setup(void)
{
    ck_assert_int_eq(reactor_open(), 0);
}

/* A watch whose descriptor is ready. */
struct thing {
    struct watch watch;
    const char *name;
    struct thing *victim; /* freed by its handler */
};
static struct thing *last_of_them; /* a turn that finds nothing else must end */

static void thing_end(struct thing *thing)
{
    reactor_unwatch(&thing->watch);
    close(thing->watch.fd);
    free(thing);
}

static void on_thing(void *arg, uint32_t events)
{
    struct thing *thing = arg, *victim = thing->victim;

    ck_assert_uint_eq(events, EPOLLIN);
    strcat(fired, thing->name);
    if (victim && victim != thing)
        thing_end(victim);
    if (thing != last_of_them)
        thing_end(thing);
}

static struct thing *thing_new(const char *name)
{
    struct thing *thing = calloc(1, sizeof(*thing));

    thing->name = name;
    thing->watch = (struct watch){.fd = eventfd(1, EFD_CLOEXEC), .ready = on_thing, .arg = thing};
    ck_assert_int_eq(reactor_watch(&thing->watch, EPOLLIN), 0);
    return thing;
}

/* ---------------------------------------------------------------- timers ----------- */

START_TEST(timers_fire_by_time_then_by_age)
{
    static const struct {
        char name[2];
        int64_t ms;
    } rows[] = {{"f", 90}, {"a", 10}, {"d", 30}, {"b", 10}, {"e", 30}, {"c", 20}, {"z", 101}};
    struct timer timers[7];

    for (size_t i = 0; i < 7; i++) {
        timers[i] = (struct timer){.fire = note, .arg = (void *)(uintptr_t)rows[i].name};
        timer_set(&timers[i], rows[i].ms);
    }
    now += 20;
    reactor_turn();
    ck_assert_str_eq(fired, "abc");
    ck_assert(!timers[1].set && timers[2].set);
    now += 80;
    reactor_turn();
    ck_assert_str_eq(fired, "abcdef");
    timer_cancel(&timers[6]);
    timer_cancel(&timers[6]); /* harmless */
}
END_TEST

START_TEST(timer_that_is_set_again_moves)
{
    struct timer a = {.fire = note, .arg = (char[]){"a"}}, b = {.fire = note, .arg = (char[]){"b"}};

    timer_set(&a, 10);
    timer_set(&b, 20);
    timer_set(&a, 30);
    now += 25;
    reactor_turn();
    ck_assert_str_eq(fired, "b");
    timer_set(&b, 100);
    timer_set(&b, 1);
    now += 5;
    reactor_turn();
    ck_assert_str_eq(fired, "bba");
    ck_assert(!a.set && !b.set);
}
END_TEST

static struct timer *pair[2];

static void cancel_other(void *arg)
{
    note(arg);
    timer_cancel(pair[1]);
    free(pair[1]);
    free(pair[0]); /* and itself */
}

START_TEST(handler_frees_itself_and_one_that_is_due)
{
    static char name[] = "a";
    struct timer third = {.fire = note, .arg = (char[]){"c"}};

    for (int i = 0; i < 2; i++) {
        pair[i] = calloc(1, sizeof(*pair[i]));
        *pair[i] = (struct timer){.fire = i == 0 ? cancel_other : note, .arg = name};
        timer_set(pair[i], 10);
    }
    timer_set(&third, 10);
    now += 10;
    reactor_turn();
    ck_assert_str_eq(fired, "ac");
}
END_TEST

static struct timer again, later;
static int agains;

static void set_more(void *arg)
{
    note(arg);
    if (++agains < 3)
        timer_set(&again, 0);
    timer_set(&later, 1);
}

START_TEST(handler_sets_timers)
{
    again = (struct timer){.fire = set_more, .arg = (char[]){"a"}};
    later = (struct timer){.fire = note, .arg = (char[]){"l"}};
    timer_set(&again, 5);
    now += 5;
    reactor_turn();
    ck_assert_str_eq(fired, "aaa"); /* what is due at once runs in the same turn */
    ck_assert(later.set && !again.set);
    now += 1;
    reactor_turn();
    ck_assert_str_eq(fired, "aaal");
}
END_TEST

/* ---------------------------------------------------------------- watches ---------- */

START_TEST(handler_frees_its_own_watch)
{
    for (int i = 0; i < 3; i++)
        thing_new("x");
    for (int i = 1; i <= 3; i++) {
        reactor_turn();
        ck_assert_uint_eq(strlen(fired), i);
    }
}
END_TEST

START_TEST(handler_frees_another_that_is_ready)
{
    struct thing *a = thing_new("a"), *b = thing_new("b");

    a->victim = b; /* whichever comes first frees both */
    b->victim = a;
    reactor_turn();
    ck_assert_uint_eq(strlen(fired), 1);
    last_of_them = thing_new("c");
    reactor_turn(); /* nothing is left but this one */
    reactor_turn();
    ck_assert_str_eq(fired + 1, "cc");
    thing_end(last_of_them);
}
END_TEST

static void on_ready(void *arg, uint32_t events)
{
    struct watch *watch = arg;

    strcat(fired, events == EPOLLOUT ? "o" : "i");
    ck_assert_int_eq(reactor_watch(watch, EPOLLIN), 0);
}

START_TEST(events_are_changed)
{
    struct watch watch = {.fd = eventfd(1, EFD_CLOEXEC), .ready = on_ready, .arg = &watch};

    ck_assert_int_eq(reactor_watch(&watch, EPOLLOUT), 0);
    reactor_turn();
    reactor_turn();
    ck_assert_str_eq(fired, "oi");
    reactor_unwatch(&watch);
    reactor_unwatch(&watch); /* harmless */
    ck_assert(!watch.watched);
    ck_assert_int_eq(reactor_watch(&watch, EPOLLIN), 0); /* and back */
    reactor_unwatch(&watch);
    close(watch.fd);
}
END_TEST

START_TEST(what_cannot_be_watched)
{
    struct watch watch = {.fd = -1, .ready = on_ready, .arg = &watch};

    ck_assert_int_eq(reactor_watch(&watch, EPOLLIN), -1);
    ck_assert_int_eq(errno, EBADF);
    ck_assert(!watch.watched);
}
END_TEST

START_TEST(descriptor_and_timers_in_one_turn)
{
    struct timer due = {.fire = note, .arg = (char[]){"t"}};

    thing_new("w");
    timer_set(&due, 0);
    reactor_turn();
    ck_assert_str_eq(fired, "wt");
}
END_TEST

UNIT_MAIN_AROUND("reactor", setup, NULL, ONCE(timers_fire_by_time_then_by_age),
                 ONCE(timer_that_is_set_again_moves),
                 ONCE(handler_frees_itself_and_one_that_is_due), ONCE(handler_sets_timers),
                 ONCE(handler_frees_its_own_watch), ONCE(handler_frees_another_that_is_ready),
                 ONCE(events_are_changed), ONCE(what_cannot_be_watched),
                 ONCE(descriptor_and_timers_in_one_turn))
