/* Scaling and recycling by hand: slot by slot, one at a time, and what stops it. The generation is
 * a stand-in that notes what it is asked for. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/generation.h"
#include "master/operation.h"
#include "master/reactor.h"
#include "master/state.h"
#include "master/workforce.h"
#include "unit.h"

/* ---------------------------------------------------------------- stand-ins -------- */

static struct generation *serving;
static char asked[64];     /* slots, in order */
static int unwilling = -1; /* a slot that is being replaced already */
static int scaled;
static bool answered;
static enum control_code code;
static char text[256];


bool generation_recycle(struct generation *generation, int slot, struct operation *operation)
{
    size_t length = strlen(asked);

    ck_assert_ptr_eq(generation, serving);
    ck_assert_int_lt(slot, generation->slot_count);
    snprintf(asked + length, sizeof(asked) - length, "%d%s ", slot, slot == unwilling ? "!" : "");
    if (slot == unwilling)
        return false;
    operation_wait(operation);
    return true;
}

void generation_scale(struct generation *generation, int count, struct operation *operation)
{
    (void)operation;
    generation->slot_count = scaled = count;
}

static void on_answer(const struct operation *operation)
{
    answered = true;
    code = operation->code;
    snprintf(text, sizeof(text), "%s", buf_text(&operation->text));
}

/* ---------------------------------------------------------------- helpers ---------- */

static void setup(void)
{
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT);
    ck_assert_int_eq(reactor_open(), 0);
    operation_follow(on_answer);
    serving = calloc(1, sizeof(*serving));
    serving->number = 5;
    serving->slot_count = 4;
    master.state = MASTER_SERVING;
    master.serving = serving;
}

static void teardown(void)
{
    free(serving);
}

static struct operation *recycle(int slot, bool all)
{
    struct operation *operation = operation_new(VERB_RECYCLE);

    workforce_recycle(operation, slot, all);
    return operation;
}

/* The slot's new worker is ready; then the reactor, in which nothing is waited for. */
static void replaced(struct operation *operation)
{
    operation_ack(operation);
    reactor_turn();
}

/* ---------------------------------------------------------------- tests ------------ */

START_TEST(all_slot_by_slot)
{
    struct operation *operation = recycle(0, true);

    ck_assert_str_eq(asked, "0 ");
    operation_ack(operation);
    ck_assert_str_eq(asked, "0 "); /* not in the middle of an acknowledgement */
    reactor_turn();
    ck_assert_str_eq(asked, "0 1 ");
    replaced(operation);
    replaced(operation);
    ck_assert_str_eq(asked, "0 1 2 3 ");
    ck_assert(!answered);
    replaced(operation);
    ck_assert(answered);
    ck_assert_int_eq(code, CONTROL_DONE);
    ck_assert_str_eq(text, "all workers were replaced");
}
END_TEST

START_TEST(one_slot)
{
    struct operation *operation = recycle(2, false);

    ck_assert_str_eq(asked, "2 ");
    replaced(operation);
    ck_assert(answered);
    ck_assert_str_eq(asked, "2 ");
    ck_assert_str_eq(text, "worker 2 was replaced");
}
END_TEST

START_TEST(slot_that_is_being_replaced_is_passed_over)
{
    struct operation *operation;

    unwilling = 1;
    operation = recycle(0, true);
    replaced(operation);
    ck_assert_str_eq(asked, "0 1! 2 ");
    unwilling = 3;
    replaced(operation);
    ck_assert(answered);
    ck_assert_str_eq(asked, "0 1! 2 3! ");
}
END_TEST

START_TEST(one_at_a_time)
{
    struct operation *first = recycle(0, false), *next;

    recycle(1, false); /* answered and freed */
    ck_assert(answered);
    ck_assert_int_eq(code, CONTROL_REFUSED);
    ck_assert_ptr_nonnull(strstr(text, "being replaced already"));
    ck_assert_str_eq(asked, "0 ");
    replaced(first);
    ck_assert_int_eq(code, CONTROL_DONE);
    next = recycle(1, false);
    ck_assert_str_eq(asked, "0 1 ");
    replaced(next);
}
END_TEST

START_TEST(not_during_a_trial)
{
    struct generation *trial = calloc(1, sizeof(*trial));

    master.trial = trial;
    recycle(0, true);
    ck_assert_int_eq(code, CONTROL_REFUSED);
    ck_assert_str_eq(asked, "");
    master.trial = NULL;
    free(trial);
}
END_TEST

START_TEST(another_generation_ends_it)
{
    struct operation *operation = recycle(0, true);

    serving->number = 6; /* took over meanwhile, with workers of its own */
    replaced(operation);
    ck_assert(answered);
    ck_assert_str_eq(asked, "0 ");
    operation = recycle(3, false); /* and does not stand in the way of the next */
    replaced(operation);
    ck_assert_str_eq(asked, "0 3 ");
}
END_TEST

START_TEST(end_of_serving_ends_it)
{
    struct operation *operation = recycle(0, true);

    master.serving = NULL;
    replaced(operation);
    ck_assert(answered);
    ck_assert_str_eq(asked, "0 ");
}
END_TEST

START_TEST(failure_ends_it)
{
    struct operation *operation = recycle(0, true);

    operation_result(operation, CONTROL_REFUSED, "worker 0: no process"); /* as slot.c does */
    operation->next_slot = -1;
    replaced(operation);
    ck_assert(answered);
    ck_assert_int_eq(code, CONTROL_REFUSED);
    ck_assert_str_eq(text, "worker 0: no process");
    ck_assert_str_eq(asked, "0 ");
}
END_TEST

START_TEST(fewer_slots_meanwhile)
{
    struct operation *operation = recycle(0, true);

    serving->slot_count = 2;
    replaced(operation);
    replaced(operation);
    ck_assert(answered);
    ck_assert_str_eq(asked, "0 1 ");
}
END_TEST

START_TEST(scaling)
{
    struct operation *operation = workforce_scale(7, "for a test");

    ck_assert_int_eq(scaled, 7);
    ck_assert(!answered); /* the caller's acknowledgement is still to come */
    operation_ack(operation);
    ck_assert(answered);
    ck_assert_int_eq(code, CONTROL_DONE);
    ck_assert_str_eq(text, "7 workers (were 4)");
}
END_TEST

UNIT_MAIN_AROUND("workforce", setup, teardown, ONCE(all_slot_by_slot), ONCE(one_slot),
                 ONCE(slot_that_is_being_replaced_is_passed_over), ONCE(one_at_a_time),
                 ONCE(not_during_a_trial), ONCE(another_generation_ends_it),
                 ONCE(end_of_serving_ends_it), ONCE(failure_ends_it), ONCE(fewer_slots_meanwhile),
                 ONCE(scaling))
