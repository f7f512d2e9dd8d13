/* Starting threads so that whoever starts them knows that all of them run, or that one could
 * not. */
#ifndef WORKER_STARTER_H
#define WORKER_STARTER_H
#include <pthread.h>
#include <stdbool.h>

struct starter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int reported;
    bool failed;
};

void starter_init(struct starter *starter);
void starter_end(struct starter *starter);
/* In the new thread, once: it is up (ok), or could not set itself up. */
void starter_report(struct starter *starter, bool ok);
/* In the starting thread: waits for `count` reports; true if all were ok. */
bool starter_wait(struct starter *starter, int count);
/* Starts a thread with small stack and all signals blocked but those that kill. 0 or an errno
 * value. */
int starter_thread(pthread_t *thread, void *(*run)(void *), void *arg);
/* Names the calling thread for the log, ps and gdb: "loop-0". */
void starter_name(const char *kind, int index);
#endif
