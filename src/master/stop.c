/* Stopping; see stop.h. Master. Listeners are shut first, so that nobody new gets in; the workers
 * then empty the backlogs, finish what they hold and end; the main loop ends with the last of
 * them. */
#include "config.h"

#include "master/stop.h"

#include "master/generation.h"
#include "master/listener.h"
#include "master/manager.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/state.h"
#include "master/workers.h"

static void announce_end(struct generation *generation)
{
    list_each(node, &listeners) {
        const char *title = list_entry(node, struct listener, node)->title;

        list_each(w, &generation->workers)
            worker_tell(list_entry(w, struct worker, node), MSG_REMOVED, 0, 0, -1, title);
    }
}

static void end(struct generation *generation, int64_t drain_ms, struct operation *operation)
{
    if (!generation)
        return;
    announce_end(generation);
    generation->operation = operation;
    generation->drain_ms = drain_ms;
    generation_event(generation, EVENT_RETIRE, NULL);
}

void stop_begin(int64_t drain_ms, struct operation *operation)
{
    bool again = master.state == MASTER_STOPPING;

    if (master.state != MASTER_STARTING)
        say(LOG_STOPPING, drain_ms > 0 ? "%s, at most %lld ms" : "%s",
            again ? "faster" : "draining", (long long)drain_ms);
    master.state = MASTER_STOPPING;
    if (!again)
        manager_stopping();
    if (!again && master.trial)
        generation_event(master.trial, EVENT_RETIRE, NULL);
    if (master.serving) {
        listeners_shut_all();
        if (master.warm)
            probation_stopped();
        end(master.warm, drain_ms, operation);
        end(master.serving, drain_ms, operation);
    }
    if (drain_ms > 0)
        list_each(node, &master.generations)
            generation_hasten(list_entry(node, struct generation, node), drain_ms);
    master_check_finished();
}

void stop_oldest(int limit)
{
    int draining = 0;

    for (struct list *node = master.generations.prev; node != &master.generations;
         node = node->prev) {
        struct generation *generation = list_entry(node, struct generation, node);

        if (generation->state != GENERATION_DRAINING || generation->check || ++draining <= limit)
            continue;
        say(LOG_TOO_MANY_GENERATIONS, "generation %u is cut: more than %d drain",
            generation->number, limit);
        generation_hasten(generation, 1);
    }
}
