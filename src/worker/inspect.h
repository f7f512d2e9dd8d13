/* What can be asked of a configuration without serving: reeved -t, -T and -x. */
#ifndef WORKER_INSPECT_H
#define WORKER_INSPECT_H
#include <stdbool.h>
#include <stddef.h>

/* Which configuration: the file (NULL: the built-in one) and what stands over it. */
struct inspected {
    const char *config;
    char *const *overrides;
    size_t override_count;
};

struct buf;
struct snapshot;

/* Loads a configuration in this process, as a worker would. False after lines in `errors`. */
bool inspect_snapshot(const struct snapshot *snapshot, struct buf *errors);

/* All three print what they have to say and return the exit status. */

/* Loads it as a worker would, in a process of its own: a module may crash. */
int inspect_test(const struct inspected *source);
/* Prints the effective configuration with the origin of each value. */
int inspect_print(const struct inspected *source);
/* For the manual pages: "counters", "models", "options", "tags" or "verbs", from the tables that
 * the program works by. */
int inspect_explain(const struct inspected *source, const char *what);
#endif
