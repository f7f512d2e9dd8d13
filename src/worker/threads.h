/* A thread for each connection, as the model `threaded` has it. */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H
#include <pthread.h>
#include <stdbool.h>

#include "net/loop.h"

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
/* Any thread: for all that run, and, of LOOP_STOP, for those that may still come. */
/* Main thread: calls that for each thread that runs, none of which can end meanwhile. */
void threads_each(struct threads *threads, void (*visit)(pthread_t thread, void *arg), void *arg);
void threads_command(struct threads *threads, enum loop_command command);
/* Any thread: has none been started that has not ended? */
bool threads_are_done(struct threads *threads);
/* Joins and frees; after threads_are_done() and the end of the front loop. */
void threads_free(struct threads **threads);
#endif
