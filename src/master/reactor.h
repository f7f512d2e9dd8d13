/* The master's one wait: descriptors and timers. Single thread. */
#ifndef MASTER_REACTOR_H
#define MASTER_REACTOR_H
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* Embedded in whatever waits; must stay in place while it is watched. */
struct watch {
    int fd; /* owned by the embedding object */
    void (*ready)(void *arg, uint32_t events);
    void *arg;
    bool watched;
};
struct timer {
    struct list node;
    int64_t due; /* CLOCK_MONOTONIC ms */
    void (*fire)(void *arg);
    void *arg;
    bool set;
};

int reactor_open(void); /* 0 or -1 with errno */
/* `events` as for epoll (EPOLLIN, EPOLLOUT). Calling again changes them. 0 or -1 with errno. */
int reactor_watch(struct watch *watch, uint32_t events);
void reactor_unwatch(struct watch *watch); /* before the descriptor is closed */
void timer_set(struct timer *timer, int64_t ms); /* from now; moves a timer that is set already */
void timer_cancel(struct timer *timer);
/* Waits for one thing and handles it, and all timers that are due. */
void reactor_turn(void);
#endif
