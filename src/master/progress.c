/* Do workers make progress; see progress.h. Master. What stands on the board is compared, and
 * nothing is believed beyond that: a worker that lies about itself lies for itself alone. */
#include "config.h"

#include "master/progress.h"

#include "share/board.h"

bool progress_seen(struct progress *last, const struct board_segment *board, int loops)
{
    uint64_t turns = 0;
    bool waits = !board /* it cannot be seen: no reason to complain */, same;

    for (int i = 0; board && i < loops && i < BOARD_THREADS; i++) {
        uint32_t turn = board_get(&board->thread[i].turns);

        waits = waits || BOARD_TURN_WAITS(turn);
        turns += turn;
    }
    same = last->known && last->turns == turns;
    *last = (struct progress){.turns = turns, .known = true};
    return waits || !same;
}

bool progress_quorum(int count, int moving)
{
    return moving * 2 > count;
}
