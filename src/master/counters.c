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

void counters_read(struct counters *counters, const struct board_segment *segment)
{
    uint32_t records = board_get(&segment->threads);
    uint64_t accepted = 0, requests = 0, bytes = 0, errors = 0, shed = 0, refused = 0;
    uint64_t moved_in = 0, moved_out = 0, stayed = 0;
    uint32_t open = 0, busy = 0, threads = 0, processes = 0;

    if (records > BOARD_THREADS)
        records = BOARD_THREADS;
    for (uint32_t i = 0; i < records; i++) {
        const struct board_thread *thread = &segment->thread[i];
        uint32_t state = board_get(&thread->state);
        bool alive = state != BOARD_UNUSED && state != BOARD_ENDED;
        bool process = board_get(&thread->pid) != 0;

        accepted += board_get(&thread->accepted);
        requests += board_get(&thread->requests);
        bytes += board_get(&thread->bytes_out);
        errors += board_get(&thread->errors);
        moved_in += board_get(&thread->moved_in);
        moved_out += board_get(&thread->moved_out);
        stayed += board_get(&thread->stayed);
        shed += board_get(&thread->shed);
        refused += board_get(&thread->refused);
        open += board_get(&thread->connections);
        busy += state == BOARD_BUSY;
        threads += alive && !process;
        processes += alive && process;
    }
    take(&counters->accepted, accepted);
    take(&counters->requests, requests);
    take(&counters->bytes, bytes);
    take(&counters->errors, errors);
    take(&counters->moved_in, moved_in);
    take(&counters->moved_out, moved_out);
    take(&counters->stayed, stayed);
    take(&counters->shed, shed);
    take(&counters->refused, refused);
    counters->open = open <= OPEN_LIMIT ? open : 0;
    counters->busy = busy;
    counters->records = records;
    counters->threads = threads;
    counters->processes = processes;
}

void counters_retire(struct counters *retired, const struct counters *worker)
{
    retired->accepted += worker->accepted;
    retired->requests += worker->requests;
    retired->bytes += worker->bytes;
    retired->errors += worker->errors;
    retired->moved_in += worker->moved_in;
    retired->moved_out += worker->moved_out;
    retired->stayed += worker->stayed;
    retired->shed += worker->shed;
    retired->refused += worker->refused;
}
