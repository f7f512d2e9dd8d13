/* A generation as it is; see generation.h. Master. Nothing here changes anything. */
#include "config.h"

#include "master/generation.h"

#include "master/workers.h"

static const char *const state_names[GENERATION_STATES] = {
    "new", "probing", "filling", "serving", "probation", "warm", "draining", "failed", "gone",
};

const char *generation_state_name(enum generation_state state)
{
    return state_names[state];
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
