/* Totals from the board; see counters.h. Master. The caller owns the counters; nothing that a
 * worker may have written is followed, only added up. */
#include "config.h"

#include "master/counters.h"

#include "share/board.h"

#define OPEN_LIMIT (1u << 28) /* no worker has so many descriptors */
#define JUMP_LIMIT (1ull << 50) /* a PiB between two looks */

static void take(uint64_t *kept, uint64_t seen)
{
    if (seen > *kept && seen - *kept < JUMP_LIMIT)
        *kept = seen;
}

static void add_record(struct counters *sum, const struct board_thread *thread)
{
    uint32_t state = board_get(&thread->state);
    bool alive = state != BOARD_UNUSED && state != BOARD_ENDED;
    bool process = board_get(&thread->pid) != 0;

#define X(name, board, total, each, help) sum->name += board_get(&thread->board);
#include "share/counters.def"
#undef X
    sum->open += board_get(&thread->connections);
    sum->busy += state == BOARD_BUSY;
    sum->threads += alive && !process;
    sum->processes += alive && process;
}

void counters_read(struct counters *counters, const struct board_segment *segment)
{
    uint32_t records = board_get(&segment->threads);
    struct counters sum = {0};

    if (records > BOARD_THREADS)
        records = BOARD_THREADS;
    for (uint32_t i = 0; i < records; i++)
        add_record(&sum, &segment->thread[i]);
#define X(name, board, total, each, help) take(&counters->name, sum.name);
#include "share/counters.def"
#undef X
    counters->open = sum.open <= OPEN_LIMIT ? sum.open : 0;
    counters->busy = sum.busy;
    counters->records = records;
    counters->threads = sum.threads;
    counters->processes = sum.processes;
}

void counters_retire(struct counters *retired, const struct counters *worker)
{
#define X(name, board, total, each, help) retired->name += worker->name;
#include "share/counters.def"
#undef X
}
