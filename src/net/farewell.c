/* When idle connections of a worker that drains are closed. drain_linger is divided into ticks.
 * Each connection has the first half of them to ask one more thing, and besides a number of ticks
 * that is another one for each of its neighbours: so thousands of clients do not come back at one
 * moment. Loops of one connection have neighbours in other threads and processes; theirs differ by
 * where the turn begins.
 *
 * Thread: the loop's. Memory: nothing of its own; no system call: loop-command.c looks and closes.
 * What must hold: nobody's time is less than half of drain_linger; of FAREWELL_BATCHES that were
 * given their time one after the other no two have the same; and looks in time find the last one's
 * over when drain_linger is. */
#include "config.h"

#include "net/farewell.h"

#define HALF (FAREWELL_TICKS / 2)

static void look_at(struct farewell *farewell, int64_t now, int64_t linger)
{
    farewell->at = farewell->from +
                   ((farewell->ticks + 1) * linger + FAREWELL_TICKS - 1) / FAREWELL_TICKS;
    if (farewell->at <= now && farewell->ticks)
        farewell->at = now + 1;
}

void farewell_begin(struct farewell *farewell, int64_t now, int64_t linger)
{
    if (farewell->at)
        return;
    farewell->from = now;
    farewell->ticks = 0;
    look_at(farewell, now, linger);
}

unsigned farewell_passed(struct farewell *farewell, int64_t now, int64_t linger)
{
    int64_t before = farewell->ticks;
    farewell->ticks = linger ? (now - farewell->from) * FAREWELL_TICKS / linger
                             : before + FAREWELL_TICKS;
    look_at(farewell, now, linger);
    int64_t passed = farewell->ticks - before;
    return (unsigned)(passed < FAREWELL_TICKS ? passed : FAREWELL_TICKS);
}

bool farewell_is_over(struct farewell *farewell, unsigned char *left, unsigned passed)
{
    if (!*left) {
        *left = (unsigned char)(HALF + 1 + farewell->turn++ % FAREWELL_BATCHES);
        return false;
    }
    if (passed >= *left)
        return true;
    *left = (unsigned char)(*left - passed);
    return false;
}
