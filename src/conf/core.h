/* The core options: those that the program itself uses, in master and worker alike. */
#ifndef CONF_CORE_H
#define CONF_CORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/log.h"
#include "conf/model.h"

struct buf;
struct cidr;
struct conf;

/* Threads of a worker, or processes that it forks, that can be shown on the board. */
#define THREADS_MAX 12000

extern const reeve_option core_options[]; /* the table */

/* Where to listen, parsed: what a listen section's title says. */
enum address_kind { ADDRESS_INET, ADDRESS_UNIX, ADDRESS_FD };
struct address {
    enum address_kind kind;
    struct sockaddr_storage sockaddr; /* INET and UNIX */
    socklen_t length;
    char name[64];                    /* FD: the name or number of the inherited socket */
};
/* host:port, [v6]:port, *:port, localhost:port, unix:/path, fd:name. Host names are not resolved.
 * False with a sentence in `error`. */
bool address_parse(const char *text, struct address *address, struct buf *error);

struct core_listen {
    const char *title;    /* as configured: the listener's identity */
    struct address address;
    const char *protocol;
    int backlog;
    mode_t mode;          /* unix sockets */
    const char *owner;    /* unix sockets: "user", "user:group" or "" */
    int line;
};

/* The values, checked. Texts belong to the conf. */
struct core {
    const struct conf *conf;   /* that it was read from, and that must outlive it */
    const char *user, *group;  /* "" : see reeved(8), PRIVILEGES */
    bool strict;               /* sandbox: system calls, too; the rest is the workers' */
    struct model model;        /* with the overrides applied and workers resolved (> 0) */
    char sizing[512];          /* in words, how `workers` came about */
    bool follows_cpus;         /* one worker per usable CPU: their number may change */
    /* Workers come and go with demand, between these; max 0: they do not. Threads that are to be
     * spare, all workers together, and for how long (ms) more of them make no worker end. */
    int workers_min, workers_max, spare_min, spare_max;
    int64_t spare_time;
    int threads;               /* pool threads, or loops of a model that has no pool */
    int max_each;              /* threads or processes made for connections, at once; 0: none */
    int client_limit;          /* connections of a client in all workers; 0: any number */
    struct cidr *exempt;       /* ... but for those of these addresses */
    size_t exempt_count;
    int64_t worker_requests, worker_age, worker_memory; /* after which one is replaced; 0: never */
    int worker_jitter;         /* percent by which these may be higher for one worker */
    bool queue_per_thread;     /* of the pool; false: one for all */
    int queue_limit;           /* jobs waiting in the pool */
    int64_t queue_time;        /* ms */
    int64_t handler_timeout;   /* ms, 0: none */
    int64_t loop_timeout;      /* ms of CPU time, 0: none */
    const char *const *modules;
    size_t module_count;
    const char *module_path;
    const char *control, *control_group, *pid_file;
    const char *error_log;     /* "stderr", "syslog" or a path */
    enum log_format log_format;
    enum reeve_level log_level;
    int64_t ready_timeout, drain_timeout, drain_linger, send_timeout; /* ms */
    int64_t send_rate; /* bytes per second, 0: none */
    int generations_limit;     /* draining at once */
    int probation_crashes, probation_errors, probation_requests; /* 0: none; percent; at least */
    int crashes_kept;          /* reports of them */
    int quarantine_after, module_budget; /* crashes; 0: off */
    int64_t quarantine_within, quarantine_time; /* ms */
    struct core_listen *listens;
    size_t listen_count;
};

/* False after lines in `errors`. */
/* Part of that: the number of workers and their life (core-sizing.c). */
void core_read_sizing(const reeve_section *root, struct core *core, struct buf *errors);
/* And the number of connections (core-limits.c), after the model. */
void core_read_limits(const reeve_section *root, struct core *core, struct buf *errors);
bool core_read(const struct conf *conf, struct core *core, struct buf *errors);
void core_free(struct core *core);
/* By reeve_conf_idle(). */
void core_note_idle(const struct core *core);
#endif
