/* The supervisor without processes: restart delays, counters, the life of generations and slots.
 *
 * Workers are objects that this file makes; the modules that would talk to real ones are replaced
 * by the functions below, so the linker leaves them out. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "master/backoff.h"
#include "master/counters.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/state.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/reload.h"
#include "master/slot.h"
#include "master/workers.h"
#include "share/snapshot.h"
#include "unit.h"

/* ---------------------------------------------------------------- stand-ins -------- */

struct list listeners = {&listeners, &listeners};
static int started, retired, served, gave_up, took_over, start_fails_at;
static int passed, ended_on_probation, resting;
static struct operation *on_probation;
static enum control_code answered;
static char answer[256];

void listeners_adopt(const struct generation *generation, struct generation *old)
{
    (void)generation;
    (void)old;
}
void listeners_abandon(void) {}
void reload_took_over(struct generation *generation, struct operation *operation)
{
    took_over++;
    operation_result(operation, CONTROL_DONE, "generation %u serves", generation->number);
    operation_ack(operation);
}
void reload_took_over_for_now(struct generation *generation) { (void)generation; }
void reload_gave_up(struct generation *generation, struct operation *operation)
{
    gave_up++;
    operation_result(operation, CONTROL_ROLLED_BACK, "%s", buf_text(&generation->why));
    operation_ack(operation);
}
void probation_begin(struct generation *generation, struct generation *warm,
                     struct operation *operation)
{
    (void)generation;
    master.warm = warm;
    on_probation = operation;
}
void probation_passed(struct generation *generation)
{
    passed++;
    generation_event(master.warm, EVENT_RETIRE, NULL);
    operation_result(on_probation, CONTROL_DONE, "generation %u passed", generation->number);
    operation_ack(on_probation);
}
struct operation *probation_failed(struct generation *generation)
{
    master.warm = NULL;
    operation_result(on_probation, CONTROL_ROLLED_BACK, "%s", buf_text(&generation->why));
    return on_probation;
}
void probation_worker_ended(struct worker *worker)
{
    (void)worker;
    ended_on_probation++;
}
static void on_answer(const struct operation *operation)
{
    answered = operation->code;
    snprintf(answer, sizeof(answer), "%s", buf_text(&operation->text));
}
struct worker *worker_start(struct generation *generation, struct slot *slot, struct buf *error)
{
    struct worker *worker;

    if (++started == start_fails_at) {
        buf_adds(error, "no process");
        return NULL;
    }
    worker = calloc(1, sizeof(*worker));
    worker->generation = generation;
    worker->slot = slot;
    worker->slot_index = slot ? slot->index : -1;
    worker->pid = started;
    list_init(&worker->acks);
    list_append(&generation->workers, &worker->node);
    return worker;
}
void worker_serve(struct worker *worker, struct operation *operation)
{
    (void)operation;
    served += !worker->serving;
    worker->serving = true;
}
void worker_retire(struct worker *worker, int64_t drain_ms, struct operation *operation)
{
    (void)drain_ms;
    (void)operation;
    retired++;
    worker->state = WORKER_RETIRING;
    worker->expected = true;
    worker->slot = NULL;
}
void worker_leaves(struct worker *worker)
{
    worker->state = WORKER_RETIRING;
    worker->expected = true;
}
void worker_rest(struct worker *worker, bool see_off)
{
    (void)worker;
    (void)see_off;
    resting++;
}
void worker_wake(struct worker *worker)
{
    (void)worker;
    resting--;
}

void worker_kill(struct worker *worker) { (void)worker; }

/* ---------------------------------------------------------------- helpers ---------- */

static struct generation *make(int workers)
{
    struct buf errors = {0};
    char override[32];
    char *overrides[] = {override};
    struct generation *generation;

    snprintf(override, sizeof(override), "workers=%d", workers);
    generation = generation_new(snapshot_take(NULL, conf_builtin, overrides, 1, &errors), &errors);
    ck_assert_msg(generation != NULL, "%s", buf_text(&errors));
    generation->number = ++master.last_generation;
    generation->operation = operation_new(VERB_RELOAD);
    master.trial = generation;
    return generation;
}

static void setup(void)
{
    log_set_level(REEVE_LOG_ERROR);
    operation_follow(on_answer);
    master.state = MASTER_SERVING;
}

static void ready(struct worker *worker)
{
    worker->state = WORKER_READY;
    worker->ready_at = 1;
    generation_event(worker->generation, EVENT_READY, worker);
}

static void ended(struct worker *worker)
{
    struct generation *generation = worker->generation;

    list_remove(&worker->node);
    generation_event(generation, EVENT_ENDED, worker);
    free(worker->why);
    free(worker);
    if (list_empty(&generation->workers))
        generation_event(generation, EVENT_EMPTY, NULL);
}

static struct generation *make_serving(int workers)
{
    struct generation *generation = make(workers);

    generation_event(generation, EVENT_START, NULL);
    for (int i = 0; i < workers; i++)
        ready(generation->slots[i]->worker);
    ck_assert_int_eq(generation->state, GENERATION_SERVING);
    return generation;
}

/* ---------------------------------------------------------------- tests ------------ */

START_TEST(delays_double_up_to_the_cap)
{
    struct backoff backoff = {0};
    int64_t delay = 0, last = 0;

    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_CRASHED, 0), 0);
    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_CRASHED, 0), 100);
    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_CRASHED, 0), 200);
    for (int i = 0; i < 100; i++) {
        delay = backoff_next(&backoff, BACKOFF_CRASHED, 0);
        ck_assert_int_ge(delay, last);
        last = delay;
    }
    ck_assert_int_eq(delay, BACKOFF_CAP);
    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_CRASHED, BACKOFF_PROVEN), 0);
}
END_TEST

START_TEST(delays_by_cause)
{
    struct backoff backoff = {0};

    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_LEFT, 0), 0);
    ck_assert_int_eq(backoff.failures, 0);
    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_WAS_SICK, 0), BACKOFF_SICK);
    ck_assert_int_eq(backoff_next(&backoff, BACKOFF_REFUSED, 0), BACKOFF_CAP);
}
END_TEST

START_TEST(counters_never_go_down)
{
    struct board_segment *segment = aligned_alloc(4096, sizeof(*segment));
    struct counters counters = {0};

    memset(segment, 0, sizeof(*segment));
    board_set(&segment->threads, 2);
    board_set(&segment->thread[0].requests, 10);
    board_set(&segment->thread[1].requests, 5);
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.requests, 15);
    board_set(&segment->thread[0].requests, 3); /* a worker gone mad */
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.requests, 15);
    board_set(&segment->thread[0].requests, UINT64_MAX / 2);
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.requests, 15);
    board_set(&segment->threads, 4000000000u);
    board_set(&segment->thread[3].state, BOARD_WAITING);
    board_set(&segment->thread[4].state, BOARD_ENDED);
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.records, BOARD_THREADS);
    ck_assert_uint_eq(counters.threads, 1);
    ck_assert_uint_eq(counters.processes, 0);
    board_set(&segment->threads, 1);
    board_set(&segment->thread[0].connections, 7);
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.open, 7);
    board_set(&segment->thread[0].connections, UINT32_MAX); /* was shown as -1 */
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.open, 0);
    free(segment);
}
END_TEST

START_TEST(every_counter_is_read_and_kept)
{
    struct board_segment *segment = aligned_alloc(4096, sizeof(*segment));
    struct counters counters = {0}, gone = {0};
    uint64_t first = 0, count = 0;

    memset(segment, 0, sizeof(*segment));
    board_set(&segment->threads, 2);
#define X(name, board, total, each, help)                                                          \
    board_set(&segment->thread[0].board, ++count);                                                 \
    board_set(&segment->thread[1].board, 100);
#include "share/counters.def"
#undef X
    counters_read(&counters, segment);
    counters_retire(&gone, &counters);
    counters_retire(&gone, &counters);
    ck_assert_uint_gt(count, 0);
#define X(name, board, total, each, help)                                                          \
    ck_assert_uint_eq(counters.name, 100 + ++first);                                               \
    ck_assert_uint_eq(gone.name, 2 * counters.name);
#include "share/counters.def"
#undef X
    free(segment);
}
END_TEST

START_TEST(processes_are_counted_apart)
{
    static const struct {
        enum board_thread_state state;
        uint32_t pid;
    } records[] = {{BOARD_WAITING, 0}, {BOARD_BUSY, 71}, {BOARD_DRAINING, 72}, {BOARD_STARTING, 73},
                   {BOARD_ENDED, 74},  {BOARD_UNUSED, 0}};
    struct board_segment *segment = aligned_alloc(4096, sizeof(*segment));
    struct counters counters = {0};

    memset(segment, 0, sizeof(*segment));
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        board_set(&segment->thread[i].state, records[i].state);
        board_set(&segment->thread[i].pid, records[i].pid);
    }
    board_set(&segment->threads, sizeof(records) / sizeof(records[0]));
    counters_read(&counters, segment);
    ck_assert_uint_eq(counters.threads, 1);
    ck_assert_uint_eq(counters.processes, 3);
    ck_assert_uint_eq(counters.busy, 1);
    free(segment);
}
END_TEST

START_TEST(timer_may_be_set_again_while_it_is_the_first)
{
    static struct timer one, two;

    timer_set(&one, 1000);
    timer_set(&two, 2000);
    timer_set(&one, 3000); /* once looped for ever */
    timer_set(&one, 500);
    ck_assert(one.set && two.set);
    timer_cancel(&one);
    timer_cancel(&two);
}
END_TEST

START_TEST(one_worker_probes_then_the_rest)
{
    struct generation *generation = make(3);

    generation_event(generation, EVENT_START, NULL);
    ck_assert_int_eq(generation->state, GENERATION_PROBING);
    ck_assert_int_eq(started, 1);
    ready(generation->slots[0]->worker);
    ck_assert_int_eq(generation->state, GENERATION_FILLING);
    ck_assert_int_eq(started, 3);
    ready(generation->slots[2]->worker);
    ck_assert_int_eq(served, 0); /* nobody serves before all are ready */
    ready(generation->slots[1]->worker);
    ck_assert_int_eq(generation->state, GENERATION_SERVING);
    ck_assert_int_eq(served, 3);
    ck_assert_ptr_eq(master.serving, generation);
    ck_assert_ptr_null(master.trial);
    ck_assert_int_eq(answered, CONTROL_DONE);
}
END_TEST

START_TEST(old_one_drains_only_when_the_new_one_serves)
{
    struct generation *old = make_serving(2), *fresh = make(1);

    generation_event(fresh, EVENT_START, NULL);
    ck_assert_int_eq(old->state, GENERATION_SERVING);
    ck_assert_int_eq(retired, 0);
    ready(fresh->slots[0]->worker);
    ck_assert_int_eq(old->state, GENERATION_DRAINING);
    ck_assert_int_eq(retired, 2);
    ended(list_entry(old->workers.next, struct worker, node));
    ended(list_entry(old->workers.next, struct worker, node)); /* frees it */
    ck_assert_ptr_eq(master.generations.next, &fresh->node);
}
END_TEST

static struct generation *make_probation(struct generation **old)
{
    struct generation *fresh;

    *old = make_serving(2);
    fresh = make(1);
    fresh->operation->probation = 60000;
    generation_event(fresh, EVENT_START, NULL);
    ready(fresh->slots[0]->worker);
    ck_assert_int_eq(fresh->state, GENERATION_PROBATION);
    ck_assert_int_eq((*old)->state, GENERATION_WARM);
    ck_assert_ptr_eq(master.serving, fresh);
    ck_assert_int_eq(resting, 2);
    ck_assert_int_eq(retired, 0);
    return fresh;
}

START_TEST(old_one_is_kept_warm_and_drains_when_the_new_one_has_passed)
{
    struct generation *old, *fresh = make_probation(&old);

    served = 0;
    started = 0;
    old->slots[1]->worker->ready_at = clock_fresh_ms() - 600000;
    ended(old->slots[1]->worker); /* kept means kept */
    ck_assert_int_eq(started, 1);
    ready(old->slots[1]->worker);
    ck_assert_int_eq(served, 0);
    ck_assert_int_eq(ended_on_probation, 0);
    generation_event(fresh, EVENT_LATE, NULL);
    ck_assert_int_eq(passed, 1);
    ck_assert_int_eq(fresh->state, GENERATION_SERVING);
    ck_assert_int_eq(old->state, GENERATION_DRAINING);
    ck_assert_int_eq(retired, 2);
    ck_assert_ptr_null(master.warm);
    ck_assert_int_eq(answered, CONTROL_DONE);
}
END_TEST

START_TEST(warm_one_serves_again_when_the_new_one_has_failed)
{
    struct generation *old, *fresh = make_probation(&old);

    ended(fresh->slots[0]->worker);
    ck_assert_int_eq(ended_on_probation, 1);
    ck_assert_int_eq(fresh->state, GENERATION_PROBATION); /* that is decided elsewhere */
    generation_fail(fresh, "too bad");
    ck_assert_int_eq(fresh->state, GENERATION_DRAINING);
    ck_assert_int_eq(old->state, GENERATION_SERVING);
    ck_assert_int_eq(resting, 0);
    ck_assert_ptr_eq(master.serving, old);
    ck_assert_int_eq(answered, CONTROL_ROLLED_BACK);
    ck_assert_str_eq(answer, "too bad");
}
END_TEST

START_TEST(worker_that_leaves_fails_no_probation)
{
    struct generation *old, *fresh = make_probation(&old);
    struct worker *worker = fresh->slots[0]->worker;

    generation_worker_leaves(fresh, worker);
    ck_assert_ptr_ne(fresh->slots[0]->worker, worker);
    generation_worker_leaves(fresh, worker); /* it has no slot any more */
    ck_assert_int_eq(fresh->state, GENERATION_PROBATION);
    ck_assert_int_eq(old->state, GENERATION_WARM);
}
END_TEST

START_TEST(probe_that_refuses_fails_the_generation)
{
    struct generation *old = make_serving(1), *fresh = make(2);
    struct worker *probe;

    generation_event(fresh, EVENT_START, NULL);
    probe = fresh->slots[0]->worker;
    probe->refused = true;
    probe->why = strdup("x.conf:3: nonsense\n");
    ended(probe);
    ck_assert_int_eq(gave_up, 1);
    ck_assert_int_eq(answered, CONTROL_ROLLED_BACK);
    ck_assert_str_eq(answer, "x.conf:3: nonsense");
    ck_assert_int_eq(old->state, GENERATION_SERVING);
    ck_assert_ptr_eq(master.serving, old);
}
END_TEST

START_TEST(ready_worker_that_dies_while_filling_fails_it)
{
    struct generation *fresh = make(3);

    generation_event(fresh, EVENT_START, NULL);
    ready(fresh->slots[0]->worker);
    ended(fresh->slots[0]->worker);
    ck_assert_int_eq(fresh->state, GENERATION_FAILED);
    ck_assert_int_eq(retired, 2);
}
END_TEST

START_TEST(late_generation_is_given_up)
{
    struct generation *fresh = make(2);

    generation_event(fresh, EVENT_START, NULL);
    generation_event(fresh, EVENT_LATE, NULL);
    ck_assert_int_eq(fresh->state, GENERATION_FAILED);
    ck_assert_ptr_nonnull(strstr(answer, "ready_timeout"));
}
END_TEST

START_TEST(worker_that_cannot_be_forked_while_filling_fails_it)
{
    struct generation *fresh = make(3);

    generation_event(fresh, EVENT_START, NULL);
    start_fails_at = 3; /* the third process */
    ready(fresh->slots[0]->worker);
    ck_assert_int_eq(fresh->state, GENERATION_FAILED);
    ck_assert_str_eq(answer, "no process");
}
END_TEST

START_TEST(probe_that_cannot_be_forked_is_buried_later)
{
    struct generation *fresh = make(1);

    start_fails_at = 1;
    generation_event(fresh, EVENT_START, NULL);
    ck_assert_int_eq(fresh->state, GENERATION_FAILED);
    ck_assert(fresh->deadline.set);
    generation_event(fresh, EVENT_LATE, NULL); /* frees it */
    ck_assert(list_empty(&master.generations));
}
END_TEST

START_TEST(crash_is_replaced_at_once_then_later)
{
    struct generation *serving = make_serving(2);
    struct slot *slot = serving->slots[1];

    ended(slot->worker);
    ck_assert_ptr_nonnull(slot->worker); /* at once */
    ck_assert_uint_eq(slot->restarts, 1);
    ck_assert_uint_eq(serving->slots[0]->restarts, 0);
    ended(slot->worker);
    ck_assert_ptr_null(slot->worker); /* not at once */
    ck_assert(slot->respawn.set);
    timer_cancel(&slot->respawn);
    slot_start(slot);
    ready(slot->worker);
    ck_assert_int_eq(served, 3); /* a respawned worker serves as soon as it is ready */
}
END_TEST

START_TEST(leaving_worker_is_replaced_at_once_and_is_no_crash)
{
    struct generation *serving = make_serving(1);
    struct slot *slot = serving->slots[0];
    struct worker *old = slot->worker;

    generation_worker_leaves(serving, old);
    ck_assert_ptr_nonnull(slot->worker);
    ck_assert_ptr_ne(slot->worker, old);
    ck_assert_int_eq(slot->backoff.failures, 0);
    ended(old);
    ck_assert_int_eq(started, 2);
}
END_TEST

START_TEST(recycling_starts_the_replacement_first)
{
    struct generation *serving = make_serving(1);
    struct operation *operation = operation_new(VERB_RECYCLE);
    struct slot *slot = serving->slots[0];
    struct worker *old = slot->worker;

    ck_assert(generation_recycle(serving, 0, operation));
    ck_assert(!generation_recycle(serving, 0, operation)); /* under way */
    ck_assert_int_eq(retired, 0);
    ready(slot->successor);
    ck_assert_int_eq(retired, 1);
    ck_assert_ptr_ne(slot->worker, old);
    ck_assert_int_eq(operation->waiting, 1);
    operation_ack(operation);
}
END_TEST

START_TEST(successor_that_dies_leaves_the_old_one)
{
    struct generation *serving = make_serving(1);
    struct operation *operation = operation_new(VERB_RECYCLE);
    struct slot *slot = serving->slots[0];
    struct worker *old = slot->worker;

    generation_recycle(serving, 0, operation);
    ended(slot->successor);
    ck_assert_ptr_eq(slot->worker, old);
    ck_assert_int_eq(retired, 0);
    ck_assert_int_eq(operation->code, CONTROL_REFUSED);
    operation_ack(operation);
}
END_TEST

START_TEST(old_worker_that_dies_meanwhile_is_succeeded)
{
    struct generation *serving = make_serving(1);
    struct operation *operation = operation_new(VERB_RECYCLE);
    struct slot *slot = serving->slots[0];
    struct worker *successor;

    generation_recycle(serving, 0, operation);
    successor = slot->successor;
    ended(slot->worker);
    ck_assert_ptr_eq(slot->worker, successor);
    ready(successor);
    ck_assert_ptr_eq(slot->worker, successor);
    ck_assert_int_eq(operation->waiting, 1);
    operation_ack(operation);
}
END_TEST

START_TEST(scaling_up_and_down)
{
    struct generation *serving = make_serving(2);
    struct operation *operation = operation_new(VERB_SCALE);

    generation_scale(serving, 4, operation);
    ck_assert_int_eq(serving->slot_count, 4);
    ck_assert_int_eq(operation->waiting, 3);
    ready(serving->slots[2]->worker);
    ready(serving->slots[3]->worker);
    ck_assert_int_eq(operation->waiting, 1);
    generation_scale(serving, 1, operation);
    ck_assert_int_eq(serving->slot_count, 1);
    ck_assert_int_eq(retired, 3);
    operation_ack(operation);
}
END_TEST

START_TEST(stop_while_probing)
{
    struct generation *fresh = make(2);

    generation_event(fresh, EVENT_START, NULL);
    generation_event(fresh, EVENT_RETIRE, NULL);
    ck_assert_int_eq(fresh->state, GENERATION_FAILED);
    ck_assert_ptr_nonnull(strstr(answer, "stopping"));
}
END_TEST

START_TEST(results_are_remembered_in_order)
{
    for (int i = 0; i < RESULTS_KEPT + 5; i++) {
        struct operation *operation = operation_new(VERB_CHECK);

        operation_result(operation, CONTROL_DONE, "%d\n", i);
        operation_ack(operation);
    }
    ck_assert_str_eq(operation_result_at(0)->text, "5");
    ck_assert_str_eq(operation_result_at(RESULTS_KEPT - 1)->text, "20");
    ck_assert_ptr_null(operation_result_at(RESULTS_KEPT));
}
END_TEST

UNIT_MAIN_AROUND("master", setup, NULL, ONCE(delays_double_up_to_the_cap), ONCE(delays_by_cause),
                 ONCE(counters_never_go_down), ONCE(every_counter_is_read_and_kept),
                 ONCE(processes_are_counted_apart),
                 ONCE(timer_may_be_set_again_while_it_is_the_first),
                 ONCE(one_worker_probes_then_the_rest),
                 ONCE(old_one_drains_only_when_the_new_one_serves),
                 ONCE(old_one_is_kept_warm_and_drains_when_the_new_one_has_passed),
                 ONCE(warm_one_serves_again_when_the_new_one_has_failed),
                 ONCE(worker_that_leaves_fails_no_probation),
                 ONCE(probe_that_refuses_fails_the_generation),
                 ONCE(ready_worker_that_dies_while_filling_fails_it),
                 ONCE(late_generation_is_given_up),
                 ONCE(worker_that_cannot_be_forked_while_filling_fails_it),
                 ONCE(probe_that_cannot_be_forked_is_buried_later),
                 ONCE(crash_is_replaced_at_once_then_later),
                 ONCE(leaving_worker_is_replaced_at_once_and_is_no_crash),
                 ONCE(recycling_starts_the_replacement_first),
                 ONCE(successor_that_dies_leaves_the_old_one),
                 ONCE(old_worker_that_dies_meanwhile_is_succeeded), ONCE(scaling_up_and_down),
                 ONCE(stop_while_probing), ONCE(results_are_remembered_in_order))
