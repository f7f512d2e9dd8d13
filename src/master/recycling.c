/* Replacing workers that have answered worker_requests requests, are worker_age old or use
 * worker_memory of memory; see recycling.h.
 *
 * Master, in its round. It decides by what it has seen itself: the counters of the board, its own
 * clock, and /proc/PID/statm, which the kernel answers without waiting for the worker or a disk.
 * One worker at a time in the whole server, the replacement first; the slots take turns, so that
 * those with the higher numbers come to it too. */
#include "config.h"

#include "master/recycling.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "base/text.h"
#include "master/generation.h"
#include "master/operation.h"
#include "master/sizing.h"
#include "master/state.h"
#include "master/workers.h"
#include "master/workforce.h"

#define TRY_AGAIN 30000 /* ms after a replacement that did not come to serve */

static int turn; /* the slot that is looked at first */

/* What it has in memory now, in bytes; 0: not known. */
static int64_t memory_of(const struct worker *worker)
{
    char path[64], text[128];
    long long size, resident;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)worker->pid);
    if (!sys_read_small(path, text, sizeof(text)) ||
        sscanf(text, "%lld %lld", &size, &resident) != 2)
        return 0;
    return resident * sysconf(_SC_PAGESIZE);
}

static struct sizing_life life_of(struct worker *worker, const struct core *core)
{
    worker_count(worker);
    return (struct sizing_life){
        .requests = (int64_t)worker->counters.requests,
        .age = clock_fresh_ms() - worker->ready_at,
        .memory = core->worker_memory > 0 ? memory_of(worker) : 0,
    };
}

static struct sizing_life limits_of(const struct worker *worker, const struct core *core)
{
    return (struct sizing_life){
        .requests = sizing_limit(core->worker_requests, core->worker_jitter, worker->draw),
        .age = sizing_limit(core->worker_age, core->worker_jitter, worker->draw),
        .memory = sizing_limit(core->worker_memory, core->worker_jitter, worker->draw),
    };
}

static void say_why(const struct worker *worker, const struct sizing_life *life,
                    const struct sizing_life *limits, enum sizing_reason reason)
{
    struct buf why = {0};

    switch (reason) {
    case SIZING_NONE:
        break;
    case SIZING_REQUESTS:
        buf_printf(&why, "it has answered %lld requests (worker_requests, for it %lld)",
                   (long long)life->requests, (long long)limits->requests);
        break;
    case SIZING_AGE:
        buf_printf(&why, "it has served for %lld ms (worker_age, for it %lld ms)",
                   (long long)life->age, (long long)limits->age);
        break;
    case SIZING_MEMORY:
        buf_printf(&why, "it has %lld KiB in memory (worker_memory, for it %lld KiB)",
                   (long long)life->memory / 1024, (long long)limits->memory / 1024);
        break;
    }
    say(LOG_WORKER_RECYCLED, "worker %d of generation %u (pid %d) is replaced: %s",
        worker->slot_index, worker->generation->number, (int)worker->pid, buf_text(&why));
    buf_free(&why);
}

/* Begins to replace it if it has reached a limit. */
static bool replace(struct worker *worker)
{
    const struct core *core = &worker->generation->core;
    struct sizing_life life = life_of(worker, core), limits = limits_of(worker, core);
    enum sizing_reason reason = sizing_reached(&life, &limits);

    if (reason == SIZING_NONE)
        return false;
    say_why(worker, &life, &limits, reason);
    worker->replace_at = clock_fresh_ms() + TRY_AGAIN;
    workforce_recycle(operation_new(VERB_RECYCLE), worker->slot_index, false);
    return true;
}

/* Those that were replaced may go on for long with the connections they have. While there are as
 * many of them as serve, no more are added. */
static bool too_many_drain(const struct generation *generation)
{
    int draining = 0;

    list_each(node, &generation->workers)
        draining += list_entry(node, struct worker, node)->state == WORKER_RETIRING;
    return draining >= generation->slot_count;
}

void recycling_round(void)
{
    const struct generation *serving = master.serving;

    if (!serving || master.state != MASTER_SERVING || master.trial || workforce_is_recycling() ||
        (!serving->core.worker_requests && !serving->core.worker_age &&
         !serving->core.worker_memory) || too_many_drain(serving))
        return;
    for (int i = 0; i < serving->slot_count; i++) {
        int index = (turn + i) % serving->slot_count;
        struct worker *worker = serving->slots[index]->worker;

        if (!worker || worker->state != WORKER_READY || worker->resting_since ||
            serving->slots[index]->successor ||
            worker->replace_at > clock_fresh_ms() || !replace(worker))
            continue;
        turn = index + 1;
        return;
    }
}
