/* The number of workers, as usable CPUs or spare threads ask for it; see muster.h.
 *
 * Master, in its round. What it looks at are its own tables, the records of the board and small
 * files of /proc and /sys: nothing that waits. What follows from that is told by sizing.c.
 *
 * A worker that is not needed rests first: it goes on with the connections it has and takes no new
 * ones. If load returns it is taken back, which costs nothing; if not, for as long again, it drains
 * and ends. Those that rest have the highest slots. */
#include "config.h"

#include "master/muster.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "master/generation.h"
#include "master/operation.h"
#include "master/state.h"
#include "master/workers.h"
#include "master/workforce.h"

#define WHY_ROOM (CPUS_WORDS + 64)

static void scale(int count, const char *why)
{
    operation_ack(workforce_scale(count, why));
}

/* ---------------------------------------------------------------- CPUs ------------- */

static void follow_cpus(struct generation *serving)
{
    char words[CPUS_WORDS], why[WHY_ROOM];
    struct cpus cpus;

    cpus_now(&cpus);
    if (cpus.usable > SLOTS_MAX)
        cpus.usable = SLOTS_MAX;
    if (!sizing_steady(&serving->growth.cpus, serving->slot_count, cpus.usable))
        return;
    cpus_put(&cpus, words, sizeof(words));
    snprintf(why, sizeof(why), "one per usable CPU: %s", words);
    scale(cpus.usable, why);
}

/* ---------------------------------------------------------------- spare threads ---- */

static struct sizing_rule rule_of(const struct core *core)
{
    return (struct sizing_rule){
        .workers_min = core->workers_min,
        .workers_max = core->workers_max,
        .threads = core->model.pool ? core->threads : core->model.loops,
        .spare_min = core->spare_min,
        .spare_max = core->spare_max,
        .spare_time = core->spare_time,
    };
}

/* A pool thread is busy with a job; a loop that may hold one connection has one; another loop is
 * busy at this moment. The records of the loops come first. */
static int busy_threads(const struct worker *worker, const struct core *core)
{
    uint32_t first = core->model.pool ? (uint32_t)core->model.loops : 0;
    uint32_t end = first + (uint32_t)rule_of(core).threads;
    uint32_t records = board_get(&worker->board->threads);
    int busy = 0;

    for (uint32_t i = first; i < end && i < records && i < BOARD_THREADS; i++) {
        const struct board_thread *thread = &worker->board->thread[i];

        if (!core->model.pool && core->model.connections == 1)
            busy += board_get(&thread->connections) > 0;
        else
            busy += board_get(&thread->state) == BOARD_BUSY;
    }
    return busy;
}

static bool rests(const struct worker *worker)
{
    return worker && worker->state == WORKER_READY && worker->resting_since;
}

static struct sizing_view view_of(const struct generation *serving)
{
    struct sizing_view view = {.workers = muster_count(serving), .now = clock_fresh_ms()};

    for (int i = 0; i < serving->slot_count; i++) {
        const struct worker *worker = serving->slots[i]->worker;

        if (rests(worker))
            continue;
        if (worker && worker->state == WORKER_READY)
            view.busy += busy_threads(worker, &serving->core);
        else
            view.starting++;
    }
    return view;
}

/* Takes back so many of those that rest, who rested last first; how many there were. */
static int wake(struct generation *serving, int count, const char *why)
{
    int woken = 0;

    for (int i = 0; i < serving->slot_count && woken < count; i++) {
        struct worker *worker = serving->slots[i]->worker;

        if (!rests(worker))
            continue;
        worker_wake(worker);
        woken++;
        say(LOG_WORKER_BACK, "worker %d of generation %u (pid %d) takes connections again, %s", i,
            serving->number, (int)worker->pid, why);
    }
    return woken;
}

static void put_to_rest(struct generation *serving, const char *why)
{
    for (int i = serving->slot_count - 1; i >= 0; i--) {
        struct worker *worker = serving->slots[i]->worker;

        if (!worker || worker->state != WORKER_READY || rests(worker) ||
            serving->slots[i]->successor)
            continue;
        worker_rest(worker, false);
        say(LOG_WORKER_RESTS, "worker %d of generation %u (pid %d) takes nothing new, %s", i,
            serving->number, (int)worker->pid, why);
        snprintf(serving->sizing, sizeof(serving->sizing), "workers = %d, %s",
                 muster_count(serving), why);
        return;
    }
}

/* Who has rested for long is not needed. */
static void end_rested(const struct generation *serving)
{
    const struct worker *last = serving->slots[serving->slot_count - 1]->worker;
    char why[WHY_ROOM];

    if (!rests(last) || clock_fresh_ms() - last->resting_since < serving->core.spare_time)
        return;
    snprintf(why, sizeof(why), "since worker %d was not needed for %lld ms", last->slot_index,
             (long long)serving->core.spare_time);
    scale(serving->slot_count - 1, why);
}

static void follow_demand(struct generation *serving)
{
    struct sizing_rule rule = rule_of(&serving->core);
    struct sizing_view view = view_of(serving);
    int spare = sizing_spare(&rule, &view);
    int more = sizing_wanted(&rule, &serving->growth, &view) - view.workers;
    char why[WHY_ROOM];

    snprintf(why, sizeof(why), "since %d of %d threads were spare, %s = %d", spare > 0 ? spare : 0,
             view.workers * rule.threads,
             more > 0 ? "less than spare_min" : "more than spare_max",
             more > 0 ? rule.spare_min : rule.spare_max);
    if (more > 0)
        more -= wake(serving, more, why);
    if (more > 0)
        scale(serving->slot_count + more, why);
    else if (more < 0)
        put_to_rest(serving, why);
    else
        end_rested(serving);
}

/* ---------------------------------------------------------------- entries ---------- */

int muster_first(struct generation *generation)
{
    const struct core *core = &generation->core;
    const struct generation *serving = master.serving;
    int count = core->model.workers;

    snprintf(generation->sizing, sizeof(generation->sizing), "%s", core->sizing);
    /* What demand has made of the number is still true for the next configuration. */
    if (core->workers_max && serving && serving->core.workers_max &&
        muster_count(serving) > count) {
        count = muster_count(serving);
        if (count > core->workers_max)
            count = core->workers_max;
        snprintf(generation->sizing, sizeof(generation->sizing),
                 "workers = %d, as the generation before had", count);
    }
    return count;
}

int muster_count(const struct generation *generation)
{
    int count = 0;

    for (int i = 0; i < generation->slot_count; i++)
        count += !rests(generation->slots[i]->worker);
    return count;
}

struct operation *muster_by_hand(int count)
{
    struct generation *serving = master.serving;
    const struct core *core = &serving->core;
    struct operation *operation;

    if (core->workers_max && (count < core->workers_min || count > core->workers_max)) {
        operation = operation_new(VERB_SCALE);
        operation_result(operation, CONTROL_REFUSED, "%d workers are not between workers_min = %d "
                         "and workers_max = %d", count, core->workers_min, core->workers_max);
        return operation;
    }
    serving->by_hand = true;
    wake(serving, serving->slot_count, "since the number is set by hand");
    return workforce_scale(count, "set by hand");
}

void muster_round(void)
{
    struct generation *serving = master.serving;

    if (!serving || master.state != MASTER_SERVING || master.trial)
        return;
    if (serving->core.workers_max)
        follow_demand(serving);
    else if (serving->core.follows_cpus && !serving->by_hand)
        follow_cpus(serving);
}

json_t *muster_report(const struct generation *generation)
{
    const struct core *core = &generation->core;
    struct sizing_rule rule = rule_of(core);
    struct sizing_view view = view_of(generation);
    json_t *report = json_pack("{s:i,s:s}", "wanted", muster_count(generation), "why",
                               generation->sizing);

    if (core->workers_max)
        json_object_set_new(report, "range",
                            json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "workers_min",
                                      rule.workers_min, "workers_max", rule.workers_max,
                                      "threads", view.workers * rule.threads, "spare",
                                      sizing_spare(&rule, &view), "spare_min", rule.spare_min,
                                      "spare_max", rule.spare_max));
    else
        json_object_set_new(report, "range", json_null());
    return report;
}
