/* The master: what all of its parts share. One process, one thread, one `master`.
 *
 * Ownership: the master owns generations, listeners, log files, operations and control clients;
 * a generation owns its slots and workers. Nothing here is seen by another process. */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/log.h"
#include "master/counters.h"
#include "master/reactor.h"
#include "share/board.h"

struct generation;
struct operation;

enum master_state { MASTER_STARTING, MASTER_SERVING, MASTER_STOPPING };

/* What the command line said. Texts live as long as the process. */
struct options {
    const char *config;     /* NULL: the built-in configuration */
    char **overrides;       /* "KEY=VALUE" */
    size_t override_count;
    bool detach;
    int ready_fd;           /* detached: where the exit status goes for the waiting parent; or -1 */
};

struct master {
    enum master_state state;
    const struct options *options;
    int64_t started;              /* CLOCK_MONOTONIC ms */
    struct board board;
    struct list generations;      /* oldest first */
    uint32_t last_generation;     /* the highest number given */
    struct generation *serving;   /* or NULL */
    struct generation *trial;     /* being tried, or NULL */
    struct counters retired;      /* of workers that are gone */
    uint64_t restarts;
    char *last_error;             /* the latest failure in words, or NULL */
    int exit_status;
    bool finished;                /* leave the main loop */
};
extern struct master master;

/* The whole master process. Returns its exit status. */
int master_main(const struct options *options);

/* Logs, and shows the line to those who follow `reevectl events`. */
void say(enum log_tag tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Remembers the text as the last error (shown in status). */
void master_set_error(const char *text);
/* Begins to stop: drain with that deadline (ms; 0: none). Later calls can only hasten it. */
void master_stop(int64_t drain_ms, struct operation *operation);
/* More generations drain than are allowed: the oldest are cut. */
void master_drop_oldest(int limit);
/* A generation has no workers left, or the like: is there anything to wait for? */
void master_check_finished(void);
/* Changes the number of workers of the serving generation. The caller acknowledges the operation
 * once somebody has joined it. */
struct operation *master_scale(int count);
/* Replaces the worker of one slot, or of all, one after the other. */
void master_recycle(struct operation *operation, int slot, bool all);
/* One replacement of that operation is done. */
void master_recycle_goes_on(void);
/* The first generation serves, or failed: tells whoever waits for `reeved -d`. */
void master_report_start(int status);
#endif
