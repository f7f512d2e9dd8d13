/* What a worker is told, by its master's messages, by SIGTERM and by its own clock, and what
 * becomes of it: the state of the worker. A process forked for a connection has orders of its
 * own, whose master is the worker. */
#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/channel.h"

struct children;
struct crew;

enum orders_state { WAITING, SERVING, DRAINING, STOPPING };

/* Operations that the master waits for. */
struct owed {
    uint32_t *ops;
    size_t count;
};

struct orders {
    enum orders_state state;
    int fd;             /* readable when orders_obey() has something to do */
    int channel;        /* to the master */
    int signal_fd, timer_fd;
    int wake_fd;        /* the crew writes here when a loop stops accepting or ends */
    int log_fd;         /* our copy of the error log, or -1 for syslog */
    char *room;         /* for a message */
    struct crew *crew;  /* these two are set once it has started */
    struct children *children; /* its processes for connections; NULL: it makes none */
    char who[64];       /* "slot 3 of generation 2" */
    int64_t drain_timeout; /* ms, when nobody says another */
    bool is_child;      /* of a process that was forked for a connection */
    bool master_gone;
    bool resting;       /* while SERVING: takes nothing new */
    bool quiet;         /* every loop has stopped accepting and the master was told */
    struct owed drains;  /* until quiet */
    struct owed reopens; /* until no child owes its answer */
    bool timer_set;
    int64_t deadline;   /* of the drain, CLOCK_MONOTONIC ms; 0: none */
    int64_t kill_at;    /* children that have not ended by then are killed; 0: not set */
    /* Without a master, who would see to it (CLOCK_MONOTONIC ms; 0: not set): */
    int64_t release_at; /* let go of the listeners, whatever the loops do */
    int64_t leave_at;   /* exit, whatever the threads do */
};

/* Takes the channel over. False with errno. */
bool orders_open(struct orders *orders, int channel);
/* In a process just forked for a connection: lets go of what is the worker's, without a word, and
 * takes orders from the worker over `channel`. */
bool orders_become_child(struct orders *orders, int channel);
/* Calls watch_round() whenever that timer rings. False with errno. */
bool orders_watch(struct orders *orders, int timer_fd);
/* Obeys all that has come; waits until something does if `wait`. */
void orders_obey(struct orders *orders, bool wait);
/* Sends a message to the master; text may be NULL. */
void orders_tell(struct orders *orders, enum msg_type type, uint32_t op, const char *text);
/* What this worker is kept from, and who is asked about it (-1: nobody). */
void orders_tell_sandbox(struct orders *orders, int listener, const char *text);
/* Where a thread is, and for how long it has been at it. Operation 0: for the slow log. */
struct words_record;
void orders_tell_stack(struct orders *orders, uint32_t op, int64_t ran_ms,
                       const struct words_record *stack);
/* Tells the master that this process, forked for a connection, has crashed. */
void orders_crashed(struct orders *orders, int pid, const char *sentence);
/* Where the error log goes from now on; also puts it under descriptor 2 when it is a file, so that
 * what libraries print is not lost. */
void orders_log_to(struct orders *orders, int fd);
void orders_set_level(int level);
void orders_close(struct orders *orders);
#endif
