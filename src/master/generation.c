/* Generations; see generation.h.
 *
 * Master. The table `moves` below is the whole life of a generation: what happens on which event in
 * which state. An empty place means that the event changes nothing there. */
#include "config.h"

#include "master/generation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "master/listener.h"
#include "master/muster.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/reload.h"
#include "master/slot.h"
#include "master/stamp.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/ending.h"
#include "share/snapshot.h"

#define LAST_WORDS 1000 /* ms for workers of a failed generation to end by themselves */

static const char *const state_names[GENERATION_STATES] = {
    "new", "probing", "filling", "serving", "probation", "warm", "draining", "failed", "gone",
};

const char *generation_state_name(enum generation_state state)
{
    return state_names[state];
}

static void generation_move(struct generation *generation, enum generation_state to)
{
    if (!generation->check)
        say(LOG_GENERATION, "generation %u: %s -> %s", generation->number,
            state_names[generation->state], state_names[to]);
    generation->state = to;
    generation->since = clock_time();
}

bool generation_keeps_slots(const struct generation *generation)
{
    return generation->state == GENERATION_SERVING || generation->state == GENERATION_PROBATION ||
           generation->state == GENERATION_WARM;
}

int generation_worker_count(const struct generation *generation)
{
    int count = 0;

    list_each(node, &generation->workers)
        count++;
    return count;
}

int generation_ready_count(const struct generation *generation)
{
    int count = 0;

    for (int i = 0; generation && i < generation->slot_count; i++) {
        const struct worker *worker = generation->slots[i]->worker;

        count += worker && worker->state == WORKER_READY;
    }
    return count;
}

/* ---------------------------------------------------------------- actions ---------- */

static void start_probe(struct generation *generation, struct worker *none)
{
    (void)none;
    generation_move(generation, GENERATION_PROBING);
    timer_set(&generation->deadline, generation->core.ready_timeout);
    if (generation->check) {
        struct buf error = {0};

        if (!worker_start(generation, NULL, &error))
            generation_fail(generation, buf_text(&error));
        buf_free(&error);
        return;
    }
    for (int i = muster_first(generation); i > 0; i--)
        slot_add(generation);
    slot_start(generation->slots[0]);
}

static bool all_ready(const struct generation *generation)
{
    for (int i = 0; i < generation->slot_count; i++) {
        const struct worker *worker = generation->slots[i]->worker;

        if (!worker || worker->state != WORKER_READY)
            return false;
    }
    return true;
}

/* All of its workers are ready: they serve, and the old generation drains, or is kept warm. */
static void take_over(struct generation *generation)
{
    struct generation *old = master.serving;
    struct operation *operation = generation->operation;
    bool probation = old && operation && operation->probation > 0;

    timer_cancel(&generation->deadline);
    generation_move(generation, probation ? GENERATION_PROBATION : GENERATION_SERVING);
    generation->operation = NULL;
    list_each(node, &generation->workers)
        worker_serve(list_entry(node, struct worker, node), operation);
    master.serving = generation;
    master.trial = NULL;
    listeners_adopt(generation, old);
    if (probation) {
        generation_event(old, EVENT_REST, NULL);
        timer_set(&generation->deadline, operation->probation);
        reload_took_over_for_now(generation);
        probation_begin(generation, old, operation);
        return;
    }
    if (old) {
        old->operation = operation;
        old->drain_ms = generation->core.drain_timeout;
        generation_event(old, EVENT_RETIRE, NULL);
    }
    reload_took_over(generation, operation);
}

static void fill_or_take_over(struct generation *generation, struct worker *ready)
{
    if (generation->state == GENERATION_PROBING) {
        if (generation->check) {
            generation_move(generation, GENERATION_DRAINING);
            worker_retire(ready, LAST_WORDS, NULL);
            generation->check(generation, true);
            return;
        }
        generation_move(generation, GENERATION_FILLING);
        for (int i = 1; i < generation->slot_count && generation->state == GENERATION_FILLING; i++)
            slot_start(generation->slots[i]);
    }
    if (generation->state == GENERATION_FILLING && all_ready(generation))
        take_over(generation);
}

/* Without a process nobody's end will bury it. Later, since callers may still look at it. */
static void bury_if_empty(struct generation *generation)
{
    if (list_empty(&generation->workers))
        timer_set(&generation->deadline, 0);
}

static void give_up(struct generation *generation, struct worker *none)
{
    struct operation *operation = generation->operation;

    (void)none;
    timer_cancel(&generation->deadline);
    generation_move(generation, GENERATION_FAILED);
    for (int i = 0; i < generation->slot_count; i++)
        slot_close(generation->slots[i]);
    list_each(node, &generation->workers)
        worker_retire(list_entry(node, struct worker, node), LAST_WORDS, NULL);
    bury_if_empty(generation);
    if (generation->check) {
        generation->check(generation, false);
        return;
    }
    generation->operation = NULL;
    if (master.trial == generation)
        master.trial = NULL;
    listeners_abandon();
    reload_gave_up(generation, operation);
}

static void give_up_late(struct generation *generation, struct worker *none)
{
    list_each(node, &generation->workers) {
        struct worker *worker = list_entry(node, struct worker, node);

        if (worker->state == WORKER_STARTED) {
            say(LOG_WORKER_LATE, "worker %d of generation %u (pid %d) was not ready within %lld ms",
                worker->slot_index, generation->number, (int)worker->pid,
                (long long)generation->core.ready_timeout);
            worker_kill(worker);
        }
    }
    buf_printf(&generation->why, "not ready within %lld ms (ready_timeout)\n",
               (long long)generation->core.ready_timeout);
    give_up(generation, none);
}

static void give_up_stopped(struct generation *generation, struct worker *none)
{
    buf_adds(&generation->why, "the server is stopping\n");
    give_up(generation, none);
}

/* A worker ended before the generation served: the configuration does not work. */
static void give_up_ended(struct generation *generation, struct worker *worker)
{
    if (worker->why) {
        buf_adds(&generation->why, worker->why);
    } else {
        if (generation->check)
            buf_adds(&generation->why, "the process that tested it ");
        else
            buf_printf(&generation->why, "worker %d (pid %d) ", worker->slot_index,
                       (int)worker->pid);
        ending_put(&generation->why, worker->status);
        buf_adds(&generation->why, " before its generation served; see the error log\n");
    }
    if (worker->slot && worker->slot->worker == worker)
        worker->slot->worker = NULL;
    give_up(generation, worker);
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
    bury_if_empty(generation);
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

typedef void action(struct generation *generation, struct worker *worker);

static action *const moves[GENERATION_STATES][GENERATION_EVENTS] = {
    [GENERATION_NEW] = {[EVENT_START] = start_probe},
    [GENERATION_PROBING] = {[EVENT_READY] = fill_or_take_over,
                            [EVENT_ENDED] = give_up_ended,
                            [EVENT_FAILED] = give_up,
                            [EVENT_LATE] = give_up_late,
                            [EVENT_RETIRE] = give_up_stopped},
    [GENERATION_FILLING] = {[EVENT_READY] = fill_or_take_over,
                            [EVENT_ENDED] = give_up_ended,
                            [EVENT_FAILED] = give_up,
                            [EVENT_LATE] = give_up_late,
                            [EVENT_RETIRE] = give_up_stopped},
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
    action *act = moves[generation->state][event];

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

void generation_hasten(struct generation *generation, int64_t drain_ms)
{
    generation->drain_ms = drain_ms;
    list_each(node, &generation->workers)
        worker_retire(list_entry(node, struct worker, node), drain_ms, NULL);
}

void generation_worker_leaves(struct generation *generation, struct worker *worker)
{
    struct slot *slot = worker->slot;

    worker_leaves(worker);
    if (slot && generation_keeps_slots(generation))
        slot_ended(slot, worker);
    else if (!generation_keeps_slots(generation) && generation->state != GENERATION_DRAINING)
        generation_fail(generation, "a worker was told to leave before its generation served\n");
}

void generation_scale(struct generation *generation, int count, struct operation *operation)
{
    while (generation->slot_count < count) {
        struct slot *slot = slot_add(generation);

        slot->operation = operation;
        operation_wait(operation);
        slot_start(slot);
    }
    while (generation->slot_count > count) {
        struct slot *slot = generation->slots[--generation->slot_count];

        slot_retire(slot, generation->core.drain_timeout, operation);
        free(slot);
    }
}

bool generation_recycle(struct generation *generation, int index, struct operation *operation)
{
    struct slot *slot = generation->slots[index];

    if (slot->successor || !slot->worker || slot->operation)
        return false;
    slot->operation = operation;
    operation_wait(operation);
    slot_start_successor(slot);
    return true;
}
