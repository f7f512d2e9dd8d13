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

bool sizing_steady(struct sizing_steady *steady, int now, int value)
{
    bool again = steady->seen == value;

    steady->seen = value;
    return again && value != now;
}

int sizing_spare(const struct sizing_rule *rule, const struct sizing_view *view)
{
    return view->workers * rule->threads - view->busy;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* One, two, four, ... workers more while demand lasts, but not so many that too many are spare. */
static int grow(const struct sizing_rule *rule, struct sizing_growth *growth, int workers,
                int spare)
{
    int most = (rule->spare_max - spare) / rule->threads;

    growth->step = growth->step ? least(growth->step * 2, SIZING_STEP_MOST) : 1;
    most = least(most > 1 ? most : 1, rule->workers_max - workers);
    return workers + least(growth->step, most);
}

/* One worker less when the surplus has lasted. */
static int shrink(const struct sizing_rule *rule, struct sizing_growth *growth,
                  const struct sizing_view *view)
{
    if (!growth->surplus_since)
        growth->surplus_since = view->now;
    if (view->now - growth->surplus_since < rule->spare_time)
        return view->workers;
    growth->surplus_since = view->now;
    return view->workers - 1;
}

int sizing_wanted(const struct sizing_rule *rule, struct sizing_growth *growth,
                  const struct sizing_view *view)
{
    int spare = sizing_spare(rule, view), workers = view->workers;

    if (workers < rule->workers_min || workers > rule->workers_max)
        return workers < rule->workers_min ? rule->workers_min : rule->workers_max;
    if (spare < rule->spare_min && workers < rule->workers_max) {
        growth->surplus_since = 0;
        return grow(rule, growth, workers, spare);
    }
    if (view->starting == 0) /* else what was started may not do yet */
        growth->step = 0;
    if (spare > rule->spare_max && workers > rule->workers_min && view->starting == 0)
        return shrink(rule, growth, view);
    growth->surplus_since = 0;
    return workers;
}
