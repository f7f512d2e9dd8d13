/* A generation until it serves: one worker tries the configuration, the others follow, then it
 * takes over; or it is given up. See generation.h.
 *
 * Master. These are actions of the table in generation.c. What must hold: until all of its workers
 * are ready nothing is changed that the old generation serves by, and whoever waits for the
 * operation is answered once. */
#include "config.h"

#include "base/buf.h"
#include "master/generation-private.h"
#include "master/listener.h"
#include "master/muster.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/reload.h"
#include "master/slot.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/ending.h"

#define LAST_WORDS 1000 /* ms for workers of a failed generation to end by themselves */

void generation_probe(struct generation *generation, struct worker *none)
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

void generation_fill_or_take_over(struct generation *generation, struct worker *ready)
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

void generation_give_up(struct generation *generation, struct worker *none)
{
    struct operation *operation = generation->operation;

    (void)none;
    timer_cancel(&generation->deadline);
    generation_move(generation, GENERATION_FAILED);
    for (int i = 0; i < generation->slot_count; i++)
        slot_close(generation->slots[i]);
    list_each(node, &generation->workers)
        worker_retire(list_entry(node, struct worker, node), LAST_WORDS, NULL);
    generation_bury_if_empty(generation);
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

void generation_give_up_late(struct generation *generation, struct worker *none)
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
    generation_give_up(generation, none);
}

void generation_give_up_stopped(struct generation *generation, struct worker *none)
{
    buf_adds(&generation->why, "the server is stopping\n");
    generation_give_up(generation, none);
}

/* A worker ended before the generation served: the configuration does not work. */
void generation_give_up_ended(struct generation *generation, struct worker *worker)
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
    generation_give_up(generation, worker);
}
