/* Waiting by epoll. Connections are edge-triggered, entered once and never re-armed; EPOLLOUT is
 * added the first time that a connection could not send and then stays. (From the start it would
 * cost an event at once, and on unix sockets one for every answer that the peer reads.) Listeners
 * are level-triggered, so that what one turn leaves in the backlog is told again.
 *
 * Thread: the loop's. Memory: struct wait is the loop's, sources stay their owners'. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/sys.h"
#include "net/wait.h"

#define EVENTS 128 /* taken from the kernel at once */

struct wait {
    int fd;
    struct epoll_event events[EVENTS];
};

static struct wait *epoll_new(void)
{
    struct wait *wait = calloc(1, sizeof *wait);
    if (!wait)
        return NULL;
    wait->fd = epoll_create1(EPOLL_CLOEXEC);
    if (wait->fd < 0) {
        free(wait);
        return NULL;
    }
    return wait;
}

static void epoll_free(struct wait *wait)
{
    if (!wait)
        return;
    sys_close(&wait->fd);
    free(wait);
}

static int epoll_set(struct wait *wait, struct wait_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    int operation = source->index < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(wait->fd, operation, source->fd, &event) < 0)
        return -1;
    source->index = 0;
    return 0;
}

static int epoll_want(struct wait *wait, struct wait_source *source, unsigned bits)
{
    bits |= WAIT_READ | source->wanted;
    if (source->index >= 0 && bits == source->wanted)
        return 0;
    uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (bits & WAIT_WRITE)
        events |= EPOLLOUT;
    if (epoll_set(wait, source, events) < 0)
        return -1;
    source->wanted = bits;
    return 0;
}

static int epoll_listen(struct wait *wait, struct wait_source *source, bool exclusive)
{
    if (source->index >= 0)
        return 0;
    return epoll_set(wait, source, EPOLLIN | (exclusive ? (uint32_t)EPOLLEXCLUSIVE : 0));
}

static void epoll_drop(struct wait *wait, struct wait_source *source, bool closing)
{
    /* The kernel forgets a descriptor by itself when its last copy is closed. */
    if (source->index >= 0 && !closing && epoll_ctl(wait->fd, EPOLL_CTL_DEL, source->fd, NULL) < 0 &&
        errno != ENOENT && errno != EBADF)
        return; /* it is still there: who gets its events drops it again */
    source->index = -1;
    source->wanted = 0;
}

static int epoll_wait_events(struct wait *wait, struct wait_event *events, int room, int timeout)
{
    int most = room < EVENTS ? room : EVENTS;
    int count = epoll_wait(wait->fd, wait->events, most, timeout);
    if (count < 0) /* a signal, or we were stopped: what came meanwhile is not later than a deadline */
        count = epoll_wait(wait->fd, wait->events, most, 0);
    for (int i = 0; i < count; i++) {
        uint32_t told = wait->events[i].events;
        events[i].source = wait->events[i].data.ptr;
        events[i].ready = (told & EPOLLIN ? WAIT_READ : 0) | (told & EPOLLOUT ? WAIT_WRITE : 0) |
                          (told & EPOLLRDHUP ? WAIT_READ | WAIT_END : 0) |
                          (told & (EPOLLHUP | EPOLLERR) ? WAIT_GONE : 0);
    }
    return count < 0 ? 0 : count;
}

const struct wait_ops wait_epoll = {
    .create = epoll_new,
    .destroy = epoll_free,
    .want = epoll_want,
    .listen = epoll_listen,
    .drop = epoll_drop,
    .wait = epoll_wait_events,
};
