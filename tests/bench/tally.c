/* What the load generator counts, and how it says it. One thread.
 *
 * A latency counts from the moment at which the request was due. Errors are counted from the first
 * request on; what else is of the measured time says so in load.h. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "calm.h"
#include "load.h"

static bool is_measured(const struct user *user)
{
    return user->began >= load.warm_until && user->began < load.until;
}

void tally_sent(const struct user *user)
{
    int64_t late = user->started - user->began;

    load.tally.path[user->second].due += is_measured(user);
    if (!is_measured(user))
        return;
    load.tally.late += late > LATE_US;
    if (late > 0 && (uint64_t)late > load.tally.latest)
        load.tally.latest = (uint64_t)late;
}

void tally_answer(const struct user *user, int64_t now)
{
    struct tally *tally = &load.tally;
    struct path_tally *path = &tally->path[user->second];
    uint64_t took = (uint64_t)(now - user->began);
    bool in_window = now >= load.warm_until && now < load.until;

    tally->completed++;
    tally->in_window += in_window;
    path->in_window += in_window && !user->shed;
    if (is_measured(user)) {
        calm_add(user->began, (int64_t)took, &tally->latency);
        histogram_add(user->shed ? &path->refused : &path->served, took);
        path->shed += user->shed;
        path->bare += user->bare;
    } else if (!user->shed && user->began < load.warm_until) {
        histogram_add(&path->warm, took);
    }
}

void tally_failure(const struct user *user, enum failure failure)
{
    load.tally.failed[failure]++;
    load.tally.path[user->second].failed++;
}

static void print_latency(const struct histogram *latency)
{
    static const struct { const char *name; double share; } points[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
        printf(", \"%s\": %" PRIu64, points[i].name, histogram_at(latency, points[i].share));
    printf(", \"max\": %" PRIu64, latency->max);
}

static void print_path(const struct path_tally *path)
{
    printf("{\"due\": %" PRIu64 ", \"rate\": %.2f, \"failed\": %" PRIu64 ", \"shed\": %" PRIu64
           ", \"bare\": %" PRIu64, path->due, (double)path->in_window / load.plan.seconds,
           path->failed, path->shed, path->bare);
    print_latency(&path->served);
    printf(", \"warm\": %" PRIu64 ", \"warm_p99\": %" PRIu64 ", \"refused_p99\": %" PRIu64 "}",
           path->warm.total, histogram_at(&path->warm, 0.99), histogram_at(&path->refused, 0.99));
}

void tally_print(void)
{
    static const char *const names[] = {
#define X(symbol, name) name,
        FAILURES(X)
#undef X
    };
    const struct tally *tally = &load.tally;
    uint32_t never = 0;

    for (uint32_t i = 0; i < load.plan.users; i++)
        never += !load.users[i].served;
    printf("{\"completed\": %" PRIu64 ", \"rate\": %.2f, \"measured\": %" PRIu64, tally->completed,
           (double)tally->in_window / load.plan.seconds, tally->latency.total);
    print_latency(&tally->latency);
    printf(", \"calm\": %.3f", calm_share());
    for (int i = 0; i < FAILURE_KINDS; i++)
        printf(", \"%s\": %" PRIu64, names[i], tally->failed[i]);
    printf(", \"reopened\": %" PRIu64 ", \"unsent\": %" PRIu64 ", \"never\": %" PRIu32
           ", \"late\": %" PRIu64 ", \"latest\": %" PRIu64 ", \"paths\": [", tally->reopened,
           tally->unsent, never, tally->late, tally->latest);
    for (int i = 0; i < (load.plan.also ? 2 : 1); i++) {
        fputs(i ? ", " : "", stdout);
        print_path(&tally->path[i]);
    }
    puts("]}");
}
