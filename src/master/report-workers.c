/* What the master tells of its workers; see report.h and reevectl(8).
 *
 * Master. What comes from the board was written by other processes: numbers are checked in
 * counters.c, texts pass clean.c. */
#include "config.h"

#include "master/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "master/clean.h"
#include "master/generation.h"
#include "master/state.h"
#include "master/workers.h"

#define CURRENT_MAX 16 /* busy threads of a worker that are listed */

/* A busy thread. */
struct current {
    uint32_t record;
    int64_t ms; /* for how long */
};

static int64_t ms_since(int64_t then, int64_t now)
{
    return then > 0 && then < now ? now - then : 0;
}

static json_t *busy_json(const struct board_thread *thread, const struct current *current)
{
    uint32_t pid = board_get(&thread->pid);
    json_t *entry = json_pack("{s:i,s:o,s:o,s:o,s:o,s:I,s:b}", "thread", (int)current->record,
                              "protocol", clean_json(thread->protocol, BOARD_PROTOCOL), "label",
                              clean_json(thread->label, BOARD_LABEL), "module",
                              clean_json(thread->module, BOARD_MODULE), "route",
                              clean_json(thread->route, BOARD_ROUTE), "busy_ms",
                              (json_int_t)current->ms, "lost",
                              board_get(&thread->lost_since) != 0);

    if (pid)
        json_object_set_new(entry, "pid", json_integer(pid));
    return entry;
}

/* Puts one in its place; of those that have no room the shortest goes. The new count. */
static int rank(struct current *longest, int count, struct current one)
{
    int at = count;

    while (at > 0 && longest[at - 1].ms < one.ms)
        at--;
    if (at == CURRENT_MAX)
        return count;
    count += count < CURRENT_MAX;
    memmove(longest + at + 1, longest + at, (size_t)(count - at - 1) * sizeof(one));
    longest[at] = one;
    return count;
}

/* Those that have been busy for longest, in that order. */
static json_t *current_json(const struct worker *worker)
{
    struct current longest[CURRENT_MAX];
    json_t *list = json_array();
    int64_t now = clock_fresh_ms();
    int count = 0;

    for (uint32_t i = 0; worker->board && i < worker->counters.records; i++) {
        const struct board_thread *thread = &worker->board->thread[i];
        struct current one = {i, ms_since(board_get(&thread->busy_since), now)};

        if (board_get(&thread->state) == BOARD_BUSY)
            count = rank(longest, count, one);
    }
    for (int i = 0; i < count; i++)
        json_array_append_new(list, busy_json(&worker->board->thread[longest[i].record],
                                              &longest[i]));
    return list;
}

static json_t *worker_json(struct worker *worker)
{
    const struct counters *counters = &worker->counters;
    json_t *object;

    worker_count(worker);
    object = json_pack("{s:i,s:i,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:I,s:o}", "slot",
                       worker->slot_index, "pid", (int)worker->pid, "state",
                       worker->resting_since && worker->state == WORKER_READY
                           ? "resting" : worker_state_name(worker->state), "generation",
                       (int)worker->generation->number, "threads", (int)counters->threads,
                       "processes", (int)counters->processes, "busy", (int)counters->busy,
                       "lost", (int)counters->lost, "connections", (int)counters->open, "restarts",
                       (json_int_t)worker->restarts, "uptime",
                       (json_int_t)(clock_fresh_ms() - worker->started) / 1000, "current",
                       current_json(worker));
#define X(name, board, total, each, help)                                                          \
    if (*each)                                                                                     \
        json_object_set_new(object, each, json_integer((json_int_t)counters->name));
#include "share/counters.def"
#undef X
    return object;
}

static int by_slot(const void *a, const void *b)
{
    const struct worker *const *left = a, *const *right = b;
    int64_t l = (int64_t)(*left)->generation->number << 32 | (uint32_t)(*left)->slot_index;
    int64_t r = (int64_t)(*right)->generation->number << 32 | (uint32_t)(*right)->slot_index;

    return l < r ? -1 : l > r;
}

/* Oldest generation first, each in the order of its slots. */
json_t *report_workers(void)
{
    static struct worker *all[BOARD_SEGMENTS];
    json_t *list = json_array();
    size_t count = 0;

    list_each(g, &master.generations) {
        struct generation *generation = list_entry(g, struct generation, node);

        list_each(w, &generation->workers)
            if (!generation->check)
                all[count++] = list_entry(w, struct worker, node);
    }
    qsort(all, count, sizeof(all[0]), by_slot);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, worker_json(all[i]));
    return list;
}
