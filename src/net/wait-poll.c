/* Waiting by poll: for loops that hold one connection, and for the model that is named after it.
 * Watches exactly what was asked for last, since poll tells a state again and again.
 *
 * Thread: the loop's. Memory: struct wait and its two tables are the loop's, sources stay their
 * owners'. What must hold: sources[i]->index == i for every entry. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "net/wait.h"

struct wait {
    struct pollfd *polls;
    struct wait_source **sources;
    int count, room;
    int first; /* where the next search for ready ones begins: nobody starves behind a full table */
};

static struct wait *poll_new(void)
{
    return calloc(1, sizeof(struct wait));
}

static void poll_free(struct wait *wait)
{
    if (!wait)
        return;
    free(wait->polls);
    free(wait->sources);
    free(wait);
}

static int poll_grow(struct wait *wait)
{
    if (wait->count < wait->room)
        return 0;
    int room = wait->room ? wait->room * 2 : 8;
    struct pollfd *polls = realloc(wait->polls, (size_t)room * sizeof *polls);
    if (!polls)
        return -1;
    wait->polls = polls;
    struct wait_source **sources = realloc(wait->sources, (size_t)room * sizeof(*sources));
    if (!sources)
        return -1;
    wait->sources = sources;
    wait->room = room;
    return 0;
}

static int poll_want(struct wait *wait, struct wait_source *source, unsigned bits)
{
    if (source->index < 0) {
        if (poll_grow(wait) < 0)
            return -1;
        source->index = wait->count++;
        wait->sources[source->index] = source;
    }
    source->wanted = bits;
    wait->polls[source->index] = (struct pollfd){
        .fd = source->fd,
        .events = (short)((bits & WAIT_READ ? POLLIN : 0) | (bits & WAIT_WRITE ? POLLOUT : 0)),
    };
    return 0;
}

static int poll_listen(struct wait *wait, struct wait_source *source, bool exclusive)
{
    (void)exclusive; /* poll has no such thing; accept.c sees to it that few wait */
    return poll_want(wait, source, WAIT_READ);
}

static void poll_drop(struct wait *wait, struct wait_source *source, bool closing)
{
    (void)closing;
    if (source->index < 0)
        return;
    int last = --wait->count;
    wait->polls[source->index] = wait->polls[last];
    wait->sources[source->index] = wait->sources[last];
    wait->sources[source->index]->index = source->index;
    source->index = -1;
    source->wanted = 0;
}

static unsigned poll_ready(short told)
{
    return (told & POLLIN ? WAIT_READ : 0) | (told & POLLOUT ? WAIT_WRITE : 0) |
           (told & (POLLHUP | POLLERR | POLLNVAL) ? WAIT_GONE : 0);
}

static int poll_wait_events(struct wait *wait, struct wait_event *events, int room, int timeout)
{
    int left = poll(wait->polls, (nfds_t)wait->count, timeout);
    int found = 0;
    if (left < 0) /* a signal: see wait-epoll.c */
        left = poll(wait->polls, (nfds_t)wait->count, 0);
    for (int i = 0; i < wait->count && found < left && found < room; i++) {
        int at = (wait->first + i) % wait->count;
        if (!wait->polls[at].revents)
            continue;
        events[found].source = wait->sources[at];
        events[found++].ready = poll_ready(wait->polls[at].revents);
        if (found == room)
            wait->first = at + 1;
    }
    return found;
}

const struct wait_ops wait_poll = {
    .create = poll_new,
    .destroy = poll_free,
    .want = poll_want,
    .listen = poll_listen,
    .drop = poll_drop,
    .wait = poll_wait_events,
};
