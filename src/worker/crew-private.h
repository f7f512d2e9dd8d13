/* The inside of the crew, for the files that run a part of it. */
#ifndef WORKER_CREW_PRIVATE_H
#define WORKER_CREW_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "worker/crew.h"
#include "worker/starter.h"
#include "worker/watched.h"

struct crew_loop {
    struct crew *crew;
    int index;
    atomic_bool ended;
    struct watched watched; /* loop and thread */
};

struct crew {
    struct engine engine;
    const struct core *core;
    const struct modules *modules;
    struct handover *handover;
    struct orders *orders;
    struct pool *pool;         /* one of these three, or none */
    struct threads *threads;
    struct children *children;
    pid_t pid;                 /* of the worker */
    struct starter starter;
    struct crew_loop *loops;
    int loop_count;
};

/* crew-engine.c. In each thread that serves, a connection's process included: the modules'
 * hooks. */
int crew_thread_init(void);
void crew_thread_exit(void);
/* Fills the engine, by the model and by what was handed over. False after a line. */
bool crew_engine_fill(struct crew *crew, struct buf *error);
/* Any thread: the main thread shall look at what has ended. */
void crew_wake_main(void);
/* A process was forked for this connection: in it, and when it has crashed in the worker. */
void crew_become_child(const struct accepted *accepted, unsigned record, int channel);
void crew_on_crash(pid_t pid, const char *sentence);
/* A loop's guest: obeys the orders (arg) that have come. */
void crew_obey_now(void *arg);
#endif
