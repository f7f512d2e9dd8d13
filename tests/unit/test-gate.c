/* The accept gate: one loop at a time, the one that came last next, and nobody is told who has
 * left. The loops are empty ones; what is posted to them is noted. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "net/loop-private.h"
#include "unit.h"

#define LOOPS 4

static struct engine engine;
static struct loop loops[LOOPS];
static char told[64]; /* the loops that were told, in order */

void loop_post(struct loop *loop, unsigned bit)
{
    ck_assert_uint_eq(bit, LOOP_GATE);
    strncat(told, &"0123"[loop - loops], 1);
}

static void setup(void)
{
    engine.gate = gate_new();
    ck_assert_ptr_nonnull(engine.gate);
    for (int i = 0; i < LOOPS; i++) {
        loops[i].engine = &engine;
        list_init(&loops[i].gate_node);
    }
}

static void teardown(void)
{
    gate_free(&engine.gate);
    ck_assert_ptr_null(engine.gate);
    gate_free(&engine.gate); /* harmless */
}

START_TEST(one_at_a_time)
{
    ck_assert(gate_enter(&loops[0]));
    ck_assert(gate_enter(&loops[0])); /* it is still its own */
    ck_assert(!gate_enter(&loops[1]));
    ck_assert(!gate_enter(&loops[2]));
    ck_assert(!gate_enter(&loops[1])); /* no second place in the queue */
    ck_assert_str_eq(told, "");
    gate_leave(&loops[0]);
    ck_assert_str_eq(told, "2");
    ck_assert(gate_enter(&loops[2]));
    gate_leave(&loops[2]);
    ck_assert(gate_enter(&loops[1]));
    gate_leave(&loops[1]);
    ck_assert_str_eq(told, "21");
    ck_assert(gate_enter(&loops[3])); /* free again */
}
END_TEST

START_TEST(who_has_accepted_queues_last_and_is_next)
{
    gate_enter(&loops[0]);
    gate_enter(&loops[1]);
    gate_enter(&loops[2]);
    gate_leave(&loops[0]); /* has a connection */
    ck_assert(!gate_enter(&loops[0])); /* and is through with it */
    gate_leave(&loops[2]);
    ck_assert_str_eq(told, "20");
}
END_TEST

START_TEST(who_leaves_the_queue_is_not_told)
{
    gate_enter(&loops[0]);
    gate_enter(&loops[1]);
    gate_enter(&loops[2]);
    gate_leave(&loops[2]);
    gate_leave(&loops[3]); /* was never there */
    ck_assert(!gate_enter(&loops[3]));
    gate_leave(&loops[3]);
    gate_leave(&loops[0]);
    ck_assert_str_eq(told, "1");
    gate_leave(&loops[1]);
    gate_leave(&loops[1]);
    ck_assert_str_eq(told, "1");
}
END_TEST

UNIT_MAIN_AROUND("gate", setup, teardown, ONCE(one_at_a_time),
                 ONCE(who_has_accepted_queues_last_and_is_next),
                 ONCE(who_leaves_the_queue_is_not_told))
