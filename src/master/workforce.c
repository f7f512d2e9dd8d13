/* The number of workers and their replacement; see workforce.h. Master. At most one recycling is
 * under way; it goes slot by slot through the generation that served when it began. */
#include "config.h"

#include "master/workforce.h"

#include <stdio.h>

#include "master/generation.h"
#include "master/operation.h"
#include "master/reactor.h"
#include "master/state.h"

struct operation *workforce_scale(int count, const char *why)
{
    struct operation *operation = operation_new(VERB_SCALE);
    struct generation *serving = master.serving;
    int before = serving->slot_count;

    operation_result(operation, CONTROL_DONE, "%d workers (were %d)", count, before);
    say(LOG_SCALED, "generation %u: %d workers (were %d), %s", serving->number, count, before, why);
    snprintf(serving->sizing, sizeof(serving->sizing), "workers = %d, %s", count, why);
    generation_scale(serving, count, operation);
    return operation;
}

static uint32_t recycling; /* the operation under way, 0: none */
static uint32_t recycled_generation;
static void recycle_next(void *arg);
static struct timer recycle_timer = {.fire = recycle_next};

static void recycle_goes_on(void)
{
    timer_set(&recycle_timer, 0); /* not now: the caller is in the middle of an acknowledgement */
}

/* Starts the next replacement; called when the one before has been acknowledged. */
static void recycle_next(void *arg)
{
    struct operation *operation = operation_find(recycling);
    const struct generation *serving = master.serving;
    bool same = serving && serving->number == recycled_generation;

    (void)arg;
    if (!operation)
        return;
    while (same && operation->next_slot >= 0 && operation->next_slot < serving->slot_count) {
        int slot = operation->next_slot;

        operation->next_slot = operation->only_slot < 0 ? slot + 1 : -1;
        if (generation_recycle(master.serving, slot, operation))
            return;
    }
    recycling = 0;
    operation_ack(operation);
}

bool workforce_is_recycling(void)
{
    return operation_find(recycling) != NULL;
}

void workforce_recycle(struct operation *operation, int slot, bool all)
{
    if (workforce_is_recycling() || master.trial) {
        operation_result(operation, CONTROL_REFUSED,
                         "workers are being replaced already; ask again when that has ended");
        operation_ack(operation);
        return;
    }
    operation->alone = recycle_goes_on;
    recycling = operation->number;
    recycled_generation = master.serving->number;
    operation->next_slot = all ? 0 : slot;
    operation->only_slot = all ? -1 : slot;
    if (all)
        operation_result(operation, CONTROL_DONE, "all workers were replaced");
    else
        operation_result(operation, CONTROL_DONE, "worker %d was replaced", slot);
    recycle_next(NULL);
}
