/* Do workers make progress? Master. */
#ifndef MASTER_PROGRESS_H
#define MASTER_PROGRESS_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct board_segment;
struct worker;

/* A worker, as its loops were when it was last looked at. */
struct progress {
    uint64_t turns; /* the sum of all */
    bool known;
};

/* True unless each of the first `loops` records is in the middle of a turn and has been in the same
 * one since the last call. A loop that waits for its connections makes progress: it has nothing to
 * do. */
bool progress_seen(struct progress *last, const struct board_segment *board, int loops);
/* Of workers that count, are those that make progress more than half? */
bool progress_quorum(int count, int moving);
#endif
