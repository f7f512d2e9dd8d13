/* The workers of a generation: how many there shall be, who is replaced. See generation.h.
 *
 * Master. Nothing here changes the state of a generation but generation_fail(). Slots belong to
 * their generation; workers are in its list until they have ended (workers.c). */
#include "config.h"

#include <stdlib.h>

#include "master/generation.h"
#include "master/operation.h"
#include "master/slot.h"
#include "master/workers.h"

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
