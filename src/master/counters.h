/* Totals over the threads of a worker, as its board segment shows them. */
#ifndef MASTER_COUNTERS_H
#define MASTER_COUNTERS_H
#include <stdint.h>

struct board_segment;

struct counters {
#define X(name, board, total, each, help) uint64_t name; /* ever */
#include "share/counters.def"
#undef X
    uint32_t open;      /* connections open now */
    uint32_t busy;      /* threads busy now, and processes */
    uint32_t records;   /* that are or were in use */
    uint32_t threads;   /* that serve, alive now */
    uint32_t processes; /* forked for connections, alive now */
};

/* Reads a segment into `counters`, which hold what was read of it last (zero at first). What ever
 * counted up never goes down, and a jump that no worker can make is not believed: the segment is
 * written by another process. */
void counters_read(struct counters *counters, const struct board_segment *segment);
/* The worker is gone: adds what it had counted. */
void counters_retire(struct counters *retired, const struct counters *worker);
#endif
