/* Generations; see generation.h. Their actions until they serve are in generation-trial.c.
 *
 * Master. The table `moves` below is the whole life of a generation: what happens on which event in
 * which state. An empty place means that the event changes nothing there. Who made a generation
 * owns it until its first event; from then on it frees itself when it is buried. */
#include "config.h"

#include "master/generation-private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/slot.h"
#include "master/stamp.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/snapshot.h"

void generation_move(struct generation *generation, enum generation_state to)
{
    if (!generation->check)
        say(LOG_GENERATION, "generation %u: %s -> %s", generation->number,
            generation_state_name(generation->state), generation_state_name(to));
    generation->state = to;
    generation->since = clock_time();
}

/* ---------------------------------------------------------------- actions ---------- */

void generation_bury_if_empty(struct generation *generation)
{
    if (list_empty(&generation->workers))
        timer_set(&generation->deadline, 0);
}

static void drain(struct generation *generation, struct worker *none)
{
    struct operation *operation = generation->operation;

    (void)none;
    timer_cancel(&generation->deadline);
    generation_move(generation, GENERATION_DRAINING);
    generation->operation = NULL;
    if (master.serving == generation)
        master.serving = NULL;
    if (master.warm == generation)
        master.warm = NULL;
    for (int i = 0; i < generation->slot_count; i++)
        slot_close(generation->slots[i]);
    list_each(node, &generation->workers) {
        struct worker *worker = list_entry(node, struct worker, node);

        if (worker->state == WORKER_RETIRING)
            continue;
        worker_retire(worker, generation->drain_ms, operation);
    }
    generation_bury_if_empty(generation);
}

/* Its workers go on with what they have and take nothing new. */
static void rest(struct generation *generation, struct worker *none)
{
    (void)none;
    generation_move(generation, GENERATION_WARM);
    for (int i = 0; i < generation->slot_count; i++) {
        struct worker *worker = generation->slots[i]->worker;

        if (worker && worker->serving)
            worker_rest(worker, true);
    }
}

static void wake(struct generation *generation, struct worker *none)
{
    (void)none;
    generation_move(generation, GENERATION_SERVING);
    master.serving = generation;
    for (int i = 0; i < generation->slot_count; i++) {
        struct worker *worker = generation->slots[i]->worker;

        if (worker && worker->serving)
            worker_wake(worker);
        else if (worker)
            worker_serve(worker, NULL);
    }
}

static void pass(struct generation *generation, struct worker *none)
{
    (void)none;
    timer_cancel(&generation->deadline);
    generation_move(generation, GENERATION_SERVING);
    probation_passed(generation);
}

/* The one before serves again, and this one drains. */
static void fall_back(struct generation *generation, struct worker *none)
{
    struct operation *operation;

    generation_event(master.warm, EVENT_WAKE, NULL);
    operation = probation_failed(generation);
    drain(generation, none);
    operation_ack(operation);
}

static void serve_late(struct generation *generation, struct worker *worker)
{
    (void)generation;
    slot_ready(worker->slot, worker);
}

static void respawn(struct generation *generation, struct worker *worker)
{
    if (generation->state == GENERATION_PROBATION)
        probation_worker_ended(worker);
    if (worker->slot)
        slot_ended(worker->slot, worker);
}

void generation_discard(struct generation *generation)
{
    timer_cancel(&generation->deadline);
    list_remove(&generation->node);
    for (int i = 0; i < generation->slot_count; i++)
        free(generation->slots[i]);
    core_free(&generation->core);
    conf_free(&generation->conf);
    snapshot_free(&generation->snapshot);
    buf_free(&generation->why);
    buf_free(&generation->changed);
    free(generation->modules);
    free(generation->sandbox);
    free(generation->files);
    free(generation);
}

static void bury(struct generation *generation, struct worker *none)
{
    const struct counters *counters = &generation->retired;

    (void)none;
    if (counters->moved_out > 0 || counters->stayed > 0)
        say(LOG_MOVED,
            "generation %u has drained: %" PRIu64 " connections went on in other workers, %" PRIu64
            " ended here",
            generation->number, counters->moved_out, counters->stayed);
    generation_move(generation, GENERATION_GONE);
    generation_discard(generation);
    master_check_finished();
}

/* ---------------------------------------------------------------- the table -------- */

static generation_action *const moves[GENERATION_STATES][GENERATION_EVENTS] = {
    [GENERATION_NEW] = {[EVENT_START] = generation_probe},
    [GENERATION_PROBING] = {[EVENT_READY] = generation_fill_or_take_over,
                            [EVENT_ENDED] = generation_give_up_ended,
                            [EVENT_FAILED] = generation_give_up,
                            [EVENT_LATE] = generation_give_up_late,
                            [EVENT_RETIRE] = generation_give_up_stopped},
    [GENERATION_FILLING] = {[EVENT_READY] = generation_fill_or_take_over,
                            [EVENT_ENDED] = generation_give_up_ended,
                            [EVENT_FAILED] = generation_give_up,
                            [EVENT_LATE] = generation_give_up_late,
                            [EVENT_RETIRE] = generation_give_up_stopped},
    [GENERATION_SERVING] = {[EVENT_READY] = serve_late,
                            [EVENT_ENDED] = respawn,
                            [EVENT_RETIRE] = drain,
                            [EVENT_REST] = rest},
    [GENERATION_PROBATION] = {[EVENT_READY] = serve_late,
                              [EVENT_ENDED] = respawn,
                              [EVENT_FAILED] = fall_back,
                              [EVENT_LATE] = pass,
                              [EVENT_RETIRE] = drain},
    [GENERATION_WARM] = {[EVENT_READY] = serve_late,
                         [EVENT_ENDED] = respawn,
                         [EVENT_RETIRE] = drain,
                         [EVENT_WAKE] = wake},
    [GENERATION_DRAINING] = {[EVENT_LATE] = bury, [EVENT_EMPTY] = bury},
    [GENERATION_FAILED] = {[EVENT_LATE] = bury, [EVENT_EMPTY] = bury},
};

void generation_event(struct generation *generation, enum generation_event event,
                      struct worker *worker)
{
    generation_action *act = moves[generation->state][event];

    if (act)
        act(generation, worker);
}

/* ---------------------------------------------------------------- the rest --------- */

static void on_deadline(void *arg)
{
    generation_event(arg, EVENT_LATE, NULL);
}

struct generation *generation_new(struct snapshot *snapshot, struct buf *errors)
{
    struct generation *generation = calloc(1, sizeof(*generation));

    if (!generation) {
        buf_adds(errors, "out of memory\n");
        snapshot_free(&snapshot);
        return NULL;
    }
    generation->snapshot = snapshot;
    generation->conf = conf_parse(snapshot, NULL, 0, errors);
    if (!generation->conf || !core_read(generation->conf, &generation->core, errors)) {
        conf_free(&generation->conf);
        snapshot_free(&generation->snapshot);
        free(generation);
        return NULL;
    }
    generation->stamp = stamp_modules(&generation->core);
    generation->state = GENERATION_NEW;
    generation->since = clock_time();
    generation->deadline = (struct timer){.fire = on_deadline, .arg = generation};
    list_init(&generation->workers);
    list_append(&master.generations, &generation->node);
    return generation;
}

void generation_fail(struct generation *generation, const char *why)
{
    buf_adds(&generation->why, why);
    if (generation->why.length > 0 && generation->why.data[generation->why.length - 1] != '\n')
        buf_addc(&generation->why, '\n');
    generation_event(generation, EVENT_FAILED, NULL);
}

