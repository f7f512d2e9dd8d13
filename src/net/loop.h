/* The loop: a thread that waits on listeners and connections and runs their protocols. Every model
 * uses this one loop; a blocking thread is a loop that may hold one connection. */
#ifndef NET_LOOP_H
#define NET_LOOP_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "conf/model.h"
#include "reeve/protocol.h"
#include "share/board.h"
#include "share/passage.h"
#include "share/tally.h"

struct loop;
struct job;
struct cidr;

/* A listening socket as a worker sees it. The descriptor is the worker's copy. */
struct listener {
    int fd;
    const char *address;                  /* as configured */
    const char *protocol_name;
    const struct reeve_protocol *protocol;
    bool knows_late;     /* it is of a module that may have the hook `late` */
    atomic_bool removed; /* no longer configured: drain empties its backlog first */
    atomic_bool stays;   /* is accepted from while the engine rests; set before it does */
    /* To and from other workers; NULL: there is none, or the protocol cannot pack. */
    const struct passage *passage;
};

/* What counts a connection as one of its client's. */
struct place {
    tally_seat *seat;       /* NULL: nothing does */
    _Atomic uint32_t *held; /* where two processes know the place: 1 until one of them leaves it */
};

/* A connection fresh from accept, or from another worker. */
struct accepted {
    int fd;
    struct listener *listener;
    struct sockaddr_storage peer;
    bool moved;           /* from another worker, with */
    struct parcel parcel;
    struct place place;
};
/* Nobody will serve it: closes it, and it counts no more. */
void limit_drop(struct accepted *accepted);
/* It is about to be closed, and counts no more. Harmless if it did not. */
void limit_leave(struct place *place);

/* Descriptors that are not for new connections; see reserve.c. */
struct reserve {
    atomic_int bound;   /* the first number that is kept; 0: not known yet */
    atomic_int kept;    /* so many */
    atomic_bool is_low; /* no more than these are left: look before each connection */
    atomic_uint open;   /* connections, when that was */
};

/* What all loops of a worker share. Filled before the first loop starts, constant afterwards except
 * for the atomics; owned by the worker's main thread, outlives the loops. */
struct engine {
    struct listener *listeners;
    size_t listener_count;
    struct board *board;
    int64_t send_timeout;      /* ms without progress before a client that does not read is cut */
    int64_t send_rate;         /* bytes that give it back a second of that; 0: any byte gives all */
    int client_limit;          /* connections of a client in all workers; 0: any number */
    const struct cidr *exempt; /* ... but for those of these addresses */
    size_t exempt_count;
    int64_t drain_linger;      /* ms that idle connections may still ask one thing while draining */
    size_t high_water;         /* queued output above which reading stops */
    size_t low_water;
    /* Hands a job to the pool; NULL: no pool, jobs run inline. 0, or -1 if the queue is full. The
     * pool calls job_run() in its thread, then job_finished(). */
    int (*submit)(struct job *job);
    /* How much of this part of a file, from its beginning, is in memory, so that to send it does
     * not wait for a disk? -1: nobody can tell of this file. What is not is read by a job first.
     * Asked where there is a pool only; NULL: never. */
    ssize_t (*in_memory)(int fd, off_t offset, size_t length);
    /* Makes a thread or a process that serves the connection by a loop of its own (loop_serve_one)
     * and owns its descriptor; called in the accepting loop's thread. NULL: loops serve what they
     * accept. 0, or -1 with errno: the connection stays with the loop, which tries again. */
    int (*launch)(struct loop *loop, const struct accepted *accepted);
    /* Called at the end of each turn in the loop's thread (buffered log lines), with how many
     * events it had. True: something is left for the end of the next one, before which the loop
     * does not sleep. May be NULL. */
    bool (*turn_end)(int events);
    /* Called in the loop's thread once it has stopped polling the listeners, after LOOP_DRAIN or
     * LOOP_STOP. May be NULL. */
    void (*loop_quiet)(struct loop *loop);
    atomic_bool draining;
    atomic_uint refused;       /* for client_limit, since that was said last: */
    _Atomic int64_t refused_said; /* ms */
    atomic_bool resting;       /* until the next LOOP_SERVE; set before either is sent */
    struct accept_gate *gate;  /* made by engine_init: who of the one-connection loops accepts */
    struct reserve reserve;    /* begun by the first loop that serves */
};

struct loop_settings {
    struct engine *engine;
    int connections;           /* that it may hold at once, launched ones included */
    enum wait_kind wait;
    struct board_thread *record; /* its record on the board, written by it alone */
    bool launched;             /* serves what another loop has accepted and accounts for */
    /* A descriptor that the thread looks after besides; called in each turn in which it is
     * readable. NULL: none. */
    void (*guest_ready)(void *arg);
    void *guest_arg;
    int guest_fd;
};

/* Allocates the gate, ignores SIGPIPE (sendfile raises it). 0 or -1 with errno. */
int engine_init(struct engine *engine);
void engine_free(struct engine *engine); /* after the last loop_free */
/* Once for each listening socket: bounds what the kernel keeps for a client that does not read, for
 * all connections that will be accepted; see unsent.c. */
void unsent_bound(int listener);

/* NULL with errno. Nothing is accepted before LOOP_SERVE. */
struct loop *loop_new(const struct loop_settings *settings);
/* Runs in the calling thread until stopped, or drained and empty. Then frees the loop's
 * connections; the loop itself is freed by loop_free after its thread has been joined. */
void loop_run(struct loop *loop);
/* The same for one connection that engine.launch was given: no other is accepted, and it returns
 * when that one has ended. May be called again for another one. */
void loop_serve_one(struct loop *loop, const struct accepted *accepted);
/* Any thread: something that engine.launch has made for this loop has ended. */
void loop_launched_ended(struct loop *loop);
void loop_free(struct loop **loop);

enum loop_command {
    LOOP_SERVE, /* begin to accept, or go on after a rest */
    LOOP_LOOK,  /* connections wait although somebody should have taken them: try to accept */
    LOOP_DRAIN, /* take nothing new, finish, return */
    LOOP_STOP,  /* close all, return */
    LOOP_REST,  /* engine.resting: take nothing new, go on with what is in hand */
};
/* Any thread. The command is carried out at the loop's next turn. */
void loop_command(struct loop *loop, enum loop_command command);
/* Any thread: has the loop stopped polling the listeners, after LOOP_DRAIN? */
bool loop_has_stopped_accepting(const struct loop *loop);

/* For engine.in_memory: asks the kernel. */
ssize_t ahead_in_memory(int fd, off_t offset, size_t length);

enum job_rank {
    JOB_PROMISED, /* it goes on with something; runs when its turn comes */
    JOB_REQUEST,  /* the pool may skip it when it has waited too long */
    JOB_FIRST,    /* it goes before all others */
};

/* A job: made by reeve_submit, or by the loop itself to read a file ahead; owned by the pool
 * between engine.submit and job_finished. */
struct job {
    struct job *next;          /* for the queue's use */
    int64_t queued_at;         /* ms */
    struct loop *loop;
    struct reeve_conn *conn;
    void (*run)(void *arg);
    void (*done)(struct reeve_conn *conn, void *arg, bool ran);
    void *arg;
    void (*back)(struct job *job); /* loop's thread: it has come back, and is the loop's again */
    atomic_int holders;        /* the last to let go gives it back: run(), and who has kept it */
    atomic_bool cancelled;     /* the connection has ended: skip it */
    atomic_bool doubtful;      /* its client sends nothing more: it may be gone, or wait in peace */
    atomic_bool late;          /* it runs longer than it may, and its client was let go */
    bool ran;
    enum job_rank rank;
    char protocol[BOARD_PROTOCOL];
    char label[BOARD_LABEL];   /* for the pool thread's record */
};
/* Pool thread: runs the job unless it is cancelled. */
void job_run(struct job *job);
/* Any thread, while the job's own cannot let go of it: it runs too long; the loop lets its client
 * go and needs not wait for it in a drain. The job's thread may say later that it is not `late`
 * after all. 0, or -1: memory is short. */
int job_late(struct job *job);
/* Any thread: does it wait for news? And the number of its turn. */
bool loop_is_asleep(const struct loop *loop, uint32_t *turns);
/* Any thread: does it wait for news? If not, it is at one thing while `progress` stays the same: a
 * job in its own thread, a request, or what else it does in a turn. */
bool loop_waits(const struct loop *loop, uint64_t *progress);
/* Any thread but its own, before that is joined: if it is still at that, its record says whose code
 * it runs, unless the thread says so itself. */
void loop_show_place(struct loop *loop, uint64_t progress);
enum loop_hold {
    LOOP_GOES_ON,  /* it is at something else by now */
    LOOP_LETS_GO,  /* as by job_late(): a job ran there, and its client was told */
    LOOP_HOLDS,    /* no job: only its own thread could do anything */
};
/* Any thread but its own: it has been at that for too long. */
enum loop_hold loop_let_go(struct loop *loop, uint64_t progress);
/* What can be done of LOOP_HOLDS: in a handler of a signal, in the loop's thread, the socket of the
 * connection that it has in hand is shut, if it still is at that. */
struct loop_cut {
    const struct loop *loop;
    uint64_t progress;
    bool done;
};
void loop_cut(void *arg);
/* After loop_run(): connections are left whose jobs were late and are not back. The loop must not
 * be freed. */
bool loop_has_left(const struct loop *loop);
/* Pool thread: lets go of the job; the last holder gives it back to its loop, waking it only if it
 * sleeps. */
void job_finished(struct job *job);
#endif
