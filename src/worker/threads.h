/* A thread for each connection, as the model `threaded` has it. */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H
#include <pthread.h>
#include <stdbool.h>

#include "worker/watched.h"

struct threads;
struct threads_settings {
    struct engine *engine;
    enum wait_kind wait;
    struct board_segment *segment; /* record 0 is the accepting loop's, the others the threads' */
    int (*thread_init)(void);      /* in each thread, first; not 0: it cannot serve */
    void (*thread_exit)(void);
    void (*wake)(void);            /* in a thread that ends while the engine drains */
};

/* NULL: no memory. */
struct threads *threads_new(const struct threads_settings *settings);
/* As engine.launch, whose loop `front` is; that one thread only. */
int threads_launch(struct threads *threads, struct loop *front, const struct accepted *accepted);
/* Main thread: calls that for each thread that runs, none of which can end meanwhile. */
void threads_watch(struct threads *threads, void (*visit)(struct watched *watched, void *arg),
                   void *arg);
/* Any thread: for all that run, and, of LOOP_STOP, for those that may still come. */
void threads_command(struct threads *threads, enum loop_command command);
/* Main thread, in a drain: has none been started that has not ended, but for those that are lost? */
bool threads_are_done(struct threads *threads);
/* Have some not ended? Then threads_free() is not to be called, but this: nobody joins them. */
bool threads_have_left(struct threads *threads);
void threads_leave(struct threads *threads);
/* Joins and frees; after threads_are_done() and the end of the front loop. */
void threads_free(struct threads **threads);
#endif
