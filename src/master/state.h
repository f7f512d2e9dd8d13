/* The state of the master: what all of its parts share. One process, one thread, one `master`.
 *
 * Ownership: the master owns generations, listeners, log files, operations and control clients;
 * a generation owns its slots and workers. Nothing here is seen by another process. */
#ifndef MASTER_STATE_H
#define MASTER_STATE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/log.h"
#include "master/counters.h"
#include "share/board.h"

struct generation;
struct options;

enum master_state { MASTER_STARTING, MASTER_SERVING, MASTER_STOPPING };

struct master {
    enum master_state state;
    const struct options *options;
    const char *control, *control_group, *pid_file; /* as at the start: these cannot be reloaded */
    int64_t started;              /* CLOCK_MONOTONIC ms */
    struct board board;
    struct list generations;      /* oldest first */
    uint32_t last_generation;     /* the highest number given */
    struct generation *serving;   /* or NULL */
    struct generation *trial;     /* being tried, or NULL */
    struct generation *warm;      /* kept while the serving one is on probation, or NULL */
    struct counters retired;      /* of workers that are gone */
    uint64_t restarts;
    uint64_t refused;             /* system calls, by sandbox = "strict" */
    char *last_error;             /* the latest failure in words, or NULL */
    int64_t last_error_at;        /* CLOCK_REALTIME s; 0: not known */
    int exit_status;
    bool finished;                /* leave the main loop */
};
extern struct master master;

/* Logs, and shows the line to whoever follows. */
void say(enum log_tag tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
typedef void say_follower(enum log_tag tag, const char *text);
void say_follow(say_follower *follow);
/* Remembers the text as the last error (shown in status). */
void master_set_error(const char *text);
/* Tells why the start failed, in plain lines, to whoever started the server. */
void master_complain(const char *text);
/* A generation has no workers left, or the like: is there anything to wait for? */
void master_check_finished(void);
#endif
