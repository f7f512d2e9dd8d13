/* What the master tells of its workers; see report.h and reevectl(8).
 *
 * Master. What comes from the board was written by other processes: numbers are checked in
 * counters.c, texts are copied and cleaned here. */
#include "config.h"

#include "master/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "master/generation.h"
#include "master/state.h"
#include "master/workers.h"

#define CURRENT_MAX 16 /* busy threads of a worker that are listed */

json_t *report_clean(const char *text, size_t room)
{
    struct buf out = {0};
    json_t *value;
    char copy[256];
    size_t length = strnlen(text, room < sizeof(copy) ? room : sizeof(copy));

    memcpy(copy, text, length); /* it may change while it is read */
    text_put_safe(&out, copy, length);
    value = json_string(buf_text(&out));
    buf_free(&out);
    return value;
}

static json_t *busy_json(const struct board_thread *thread, uint32_t record)
{
    int64_t since = board_get(&thread->busy_since);
    int64_t busy = since > 0 ? clock_fresh_ms() - since : 0;
    uint32_t pid = board_get(&thread->pid);
    json_t *entry = json_pack("{s:i,s:o,s:o,s:I}", "thread", (int)record, "protocol",
                              report_clean(thread->protocol, BOARD_PROTOCOL), "label",
                              report_clean(thread->label, BOARD_LABEL), "busy_ms",
                              (json_int_t)(busy < 0 ? 0 : busy));

    if (pid)
        json_object_set_new(entry, "pid", json_integer(pid));
    return entry;
}

static json_t *current_json(const struct worker *worker)
{
    json_t *list = json_array();

    if (!worker->board)
        return list;
    for (uint32_t i = 0; i < worker->counters.records && json_array_size(list) < CURRENT_MAX; i++) {
        const struct board_thread *thread = &worker->board->thread[i];

        if (board_get(&thread->state) == BOARD_BUSY)
            json_array_append_new(list, busy_json(thread, i));
    }
    return list;
}

static json_t *worker_json(struct worker *worker)
{
    const struct counters *counters = &worker->counters;
    json_t *object;

    worker_count(worker);
    object = json_pack("{s:i,s:i,s:s,s:i,s:i,s:i,s:i,s:i,s:I,s:I,s:o}", "slot", worker->slot_index,
                       "pid", (int)worker->pid, "state",
                       worker->resting_since && worker->state == WORKER_READY
                           ? "resting" : worker_state_name(worker->state), "generation",
                       (int)worker->generation->number, "threads", (int)counters->threads,
                       "processes", (int)counters->processes, "busy", (int)counters->busy,
                       "connections", (int)counters->open, "restarts",
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
