/* Starting threads; see starter.h. Worker process; the starter lives on the starting thread's stack
 * until all threads have reported. */
#include "config.h"

#include "worker/starter.h"

#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "worker/words.h"

#define STACK_SIZE (256 * 1024) /* handlers are C: enough for deep calls, little for 500 threads */

void starter_init(struct starter *starter)
{
    *starter = (struct starter){0};
    pthread_mutex_init(&starter->lock, NULL);
    pthread_cond_init(&starter->changed, NULL);
}

void starter_end(struct starter *starter)
{
    pthread_mutex_destroy(&starter->lock);
    pthread_cond_destroy(&starter->changed);
}

void starter_report(struct starter *starter, bool ok)
{
    pthread_mutex_lock(&starter->lock);
    starter->reported++;
    starter->failed = starter->failed || !ok;
    pthread_cond_signal(&starter->changed);
    pthread_mutex_unlock(&starter->lock);
}

bool starter_wait(struct starter *starter, int count)
{
    bool ok;

    pthread_mutex_lock(&starter->lock);
    while (starter->reported < count)
        pthread_cond_wait(&starter->changed, &starter->lock);
    ok = !starter->failed;
    pthread_mutex_unlock(&starter->lock);
    return ok;
}

int starter_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int error;

    words_fill_but_fatal(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    error = pthread_create(thread, &attr, run, arg);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void starter_name(const char *kind, int index)
{
    char name[16];

    snprintf(name, sizeof(name), "%s-%d", kind, index);
    pthread_setname_np(pthread_self(), name);
    log_thread_name(name);
}
