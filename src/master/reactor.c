/* The master's one wait; see reactor.h.
 *
 * One event is taken per wait: a handler may close and free anything, and no event of a batch can
 * then speak of what is gone. Timers stand in a list ordered by due time; there are a few dozen. */
#include "config.h"

#include "master/reactor.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"

static int epoll_fd = -1;
static struct list timers = {&timers, &timers};

int reactor_open(void)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return epoll_fd < 0 ? -1 : 0;
}

int reactor_watch(struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (epoll_ctl(epoll_fd, watch->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event) < 0)
        return -1;
    watch->watched = true;
    return 0;
}

void reactor_unwatch(struct watch *watch)
{
    if (watch->watched)
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->watched = false;
}

void timer_set(struct timer *timer, int64_t ms)
{
    struct list *later;

    timer_cancel(timer); /* first: it may be the one that `later` would point at */
    later = timers.next;
    timer->due = clock_fresh_ms() + ms;
    timer->set = true;
    while (later != &timers && list_entry(later, struct timer, node)->due <= timer->due)
        later = later->next;
    list_append(later, &timer->node); /* before `later` */
}

void timer_cancel(struct timer *timer)
{
    if (timer->set)
        list_remove(&timer->node);
    timer->set = false;
}

static void fire_due(void)
{
    int64_t now = clock_fresh_ms();

    while (!list_empty(&timers)) {
        struct timer *timer = list_entry(timers.next, struct timer, node);

        if (timer->due > now)
            return;
        timer_cancel(timer);
        timer->fire(timer->arg);
    }
}

static int wait_ms(void)
{
    int64_t left;

    if (list_empty(&timers))
        return -1;
    left = list_entry(timers.next, struct timer, node)->due - clock_fresh_ms();
    return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

void reactor_turn(void)
{
    struct epoll_event event;
    int n = epoll_wait(epoll_fd, &event, 1, wait_ms());

    if (n < 0 && errno != EINTR)
        log_errno(LOG_SYSTEM, "epoll_wait");
    clock_refresh();
    if (n == 1) {
        struct watch *watch = event.data.ptr;

        watch->ready(watch->arg, event.events);
    }
    fire_due();
}
