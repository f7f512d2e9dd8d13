/* The master process. */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H
#include <stdbool.h>
#include <stddef.h>

/* What the command line said. Texts live as long as the process. */
struct options {
    const char *config;     /* NULL: the built-in configuration */
    char **overrides;       /* "KEY=VALUE" */
    size_t override_count;
    bool detach;
    char **argv;            /* of the process; with it the next image is executed */
    const char *binary;     /* where this program was started from, absolute */
    int complaint_fd;       /* where a failure of the start is told */
    int ready_fd;           /* detached: where the exit status goes for the waiting parent; or -1 */
};

/* The whole master process. Returns its exit status. */
int master_main(const struct options *options);
/* The same, in the next image of a master that upgrades itself (succeed_is_due()). */
int master_succeed(char **argv);
#endif
