/* Sizing; see sizing.h. Master, but pure: any thread, no memory of its own. */
#include "config.h"

#include "master/sizing.h"

#define DRAWS 65536

int64_t sizing_limit(int64_t limit, int percent, unsigned draw)
{
    int64_t most;

    if (limit <= 0)
        return 0;
    most = limit / 100 * percent + limit % 100 * percent / 100;
    /* In two steps: a limit in bytes times 65536 may be too large a number. */
    return limit + most / DRAWS * (draw % DRAWS) + most % DRAWS * (draw % DRAWS) / DRAWS;
}

static bool reached(int64_t value, int64_t limit)
{
    return limit > 0 && value >= limit;
}

enum sizing_reason sizing_reached(const struct sizing_life *life, const struct sizing_life *limits)
{
    if (reached(life->requests, limits->requests))
        return SIZING_REQUESTS;
    if (reached(life->age, limits->age))
        return SIZING_AGE;
    return reached(life->memory, limits->memory) ? SIZING_MEMORY : SIZING_NONE;
}
