/* A thread that runs a loop, as the watch sees it: of the crew, or made for one connection. */
#ifndef WORKER_WATCHED_H
#define WORKER_WATCHED_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct watched {
    struct loop *loop;
    pthread_t thread;
    struct board_thread *record;
    int index;     /* its number in its name */
    bool alone;    /* its loop holds one connection: whoever hangs there holds up nobody else */
    bool launched; /* it was made for that connection, and nobody waits for it */

    /* The main thread's own: */
    struct {
        uint32_t turns;
        int64_t used;  /* ms of CPU time when that turn was seen first */
        bool known;    /* false: it waited */
        int stage;     /* of watch-loops.c */
    } cpu;
    uint64_t progress; /* what it was at when seen last, and */
    int64_t since;     /* when that was seen first, by the watch's clock; 0: it has not been seen */
    int64_t lost_at;   /* since then it is lost; 0: it is not */
    bool aborted;
};

/* Main thread: need nobody wait for it, since it is lost with what it has? */
static inline bool watched_is_left(const struct watched *watched)
{
    return watched->alone && watched->lost_at != 0;
}
/* It has come on, or is over. Main thread, or its own while the main thread does not look at it. */
void watched_goes_on(struct watched *watched);
#endif
