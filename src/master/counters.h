/* Totals over the threads of a worker, as its board segment shows them. */
#ifndef MASTER_COUNTERS_H
#define MASTER_COUNTERS_H
#include <stdint.h>

struct board_segment;

struct counters {
    uint64_t accepted, requests, bytes; /* ever; bytes: sent */
    uint64_t errors;                    /* requests that failed by the server's fault, ever */
    uint64_t moved_in, moved_out;       /* connections from and to other workers */
    uint64_t stayed;                    /* that ended here while the worker drained */
    uint64_t shed;                      /* of the requests: refused, for they had waited too long */
    uint64_t refused;                   /* connections: their clients had too many */
    uint32_t open;                      /* connections open now */
    uint32_t busy;                      /* threads busy now, and processes */
    uint32_t records;                   /* that are or were in use */
    uint32_t threads;                   /* that serve, alive now */
    uint32_t processes;                 /* forked for connections, alive now */
};

/* Reads a segment into `counters`, which hold what was read of it last (zero at first). What ever
 * counted up never goes down, and a jump that no worker can make is not believed: the segment is
 * written by another process. */
void counters_read(struct counters *counters, const struct board_segment *segment);
/* The worker is gone: adds what it had counted. */
void counters_retire(struct counters *retired, const struct counters *worker);
#endif
