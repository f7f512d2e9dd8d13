/* Slots; see slot.h. Master. Invariant: slot->worker and slot->successor point at live workers
 * whose slot points back; whoever drains or has ended is in neither. */
#include "config.h"

#include "master/slot.h"

#include <stdlib.h>

#include "base/clock.h"
#include "master/generation.h"
#include "master/operation.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/ending.h"

static void on_respawn(void *arg)
{
    slot_start(arg);
}

struct slot *slot_add(struct generation *generation)
{
    struct slot *slot = calloc(1, sizeof(*slot));

    if (!slot)
        abort();
    slot->generation = generation;
    slot->index = generation->slot_count;
    slot->respawn = (struct timer){.fire = on_respawn, .arg = slot};
    generation->slots[generation->slot_count++] = slot;
    return slot;
}

/* Whoever waited for this slot's next worker is told that there is none. */
static void slot_disappoint(struct slot *slot, const char *why)
{
    if (!slot->operation)
        return;
    operation_result(slot->operation, CONTROL_REFUSED, "worker %d: %s", slot->index, why);
    slot->operation->next_slot = -1;
    operation_ack(slot->operation);
    slot->operation = NULL;
}

void slot_start(struct slot *slot)
{
    struct generation *generation = slot->generation;
    struct buf error = {0};

    timer_cancel(&slot->respawn);
    slot->worker = worker_start(generation, slot, &error);
    if (!slot->worker) {
        say(LOG_WORKER_START_FAILED, "worker %d of generation %u: %s", slot->index,
            generation->number, buf_text(&error));
        master_set_error(buf_text(&error));
        if (generation_keeps_slots(generation)) {
            timer_set(&slot->respawn, backoff_next(&slot->backoff, BACKOFF_WAS_SICK, 0));
            slot_disappoint(slot, buf_text(&error));
        } else {
            generation_fail(generation, buf_text(&error));
        }
    }
    buf_free(&error);
}

void slot_start_successor(struct slot *slot)
{
    struct buf error = {0};

    slot->successor = worker_start(slot->generation, slot, &error);
    if (!slot->successor)
        slot_disappoint(slot, buf_text(&error));
    buf_free(&error);
}

static void slot_answer(struct slot *slot)
{
    struct operation *operation = slot->operation;

    slot->operation = NULL;
    if (operation)
        operation_ack(operation);
}

void slot_ready(struct slot *slot, struct worker *worker)
{
    if (!slot)
        return;
    if (slot->generation->state != GENERATION_WARM)
        worker_serve(worker, slot->operation);
    if (slot->successor == worker) {
        struct worker *old = slot->worker;

        slot->successor = NULL;
        slot->worker = worker;
        if (old) {
            old->slot = NULL;
            worker_retire(old, slot->generation->core.drain_timeout, slot->operation);
        }
    }
    slot_answer(slot);
}

static enum backoff_cause cause_of(const struct worker *worker)
{
    if (worker->expected)
        return BACKOFF_LEFT;
    if (worker->refused)
        return worker->sick ? BACKOFF_WAS_SICK : BACKOFF_REFUSED;
    return worker->sick ? BACKOFF_WAS_SICK : BACKOFF_CRASHED;
}

/* Says what happened and when the slot is filled again. */
static void report_end(const struct slot *slot, const struct worker *worker, int64_t delay)
{
    struct buf text = {0};

    buf_printf(&text, "worker %d of generation %u (pid %d) ", slot->index, slot->generation->number,
               (int)worker->pid);
    ending_put(&text, worker->status);
    if (worker->why)
        buf_printf(&text, ": %s", worker->why);
    if (delay > 0)
        buf_printf(&text, "; started again in %lld ms", (long long)delay);
    else
        buf_adds(&text, "; started again at once");
    say(LOG_WORKER_CRASHED, "%s", buf_text(&text));
    master_set_error(buf_text(&text));
    buf_free(&text);
}

void slot_ended(struct slot *slot, struct worker *worker)
{
    int64_t served = worker->ready_at ? clock_fresh_ms() - worker->ready_at : 0;
    int64_t delay;

    worker->slot = NULL;
    if (slot->successor == worker) {
        slot->successor = NULL;
        slot_disappoint(slot, worker->why ? worker->why : "the replacement ended before it served");
        if (slot->worker)
            return;
    } else if (slot->worker == worker) {
        slot->worker = NULL;
        if (slot->successor) { /* it is on its way already */
            slot->worker = slot->successor;
            slot->successor = NULL;
            return;
        }
    } else {
        return;
    }
    delay = backoff_next(&slot->backoff, cause_of(worker), served);
    if (!worker->expected)
        report_end(slot, worker, delay);
    slot->restarts++;
    master.restarts++;
    if (delay > 0)
        timer_set(&slot->respawn, delay);
    else
        slot_start(slot);
}

void slot_retire(struct slot *slot, int64_t drain_ms, struct operation *operation)
{
    struct worker *both[] = {slot->worker, slot->successor};

    slot_close(slot);
    for (int i = 0; i < 2; i++)
        if (both[i])
            worker_retire(both[i], drain_ms, operation);
}

void slot_close(struct slot *slot)
{
    timer_cancel(&slot->respawn);
    slot_disappoint(slot, "the generation retires");
    if (slot->worker)
        slot->worker->slot = NULL;
    if (slot->successor)
        slot->successor->slot = NULL;
    slot->worker = slot->successor = NULL;
}
