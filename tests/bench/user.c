/* The users of the load generator: each asks, reads the answer to its end, and asks again when
 * load.c says so. Nothing here blocks.
 *
 * One thread. A user owns its socket; it is registered with epoll when it is opened,
 * edge-triggered, and never again. A user is always in the list that its state belongs to. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calm.h"
#include "load.h"

static char request[2][1024]; /* for plan.path and plan.also */
static size_t request_size[2];
static char in[65536];

void user_setup(void)
{
    const char *paths[2] = {load.plan.path, load.plan.also ? load.plan.also : load.plan.path};

    for (int i = 0; i < 2; i++)
        request_size[i] = (size_t)snprintf(request[i], sizeof(request[i]),
                                           "GET %.900s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
                                           paths[i], ntohs(load.plan.server.sin_port),
                                           load.plan.keep ? "" : "Connection: close\r\n");
    load.users = calloc(load.plan.users, sizeof(load.users[0]));
    for (uint32_t i = 0; load.users && i < load.plan.users; i++) {
        load.users[i].fd = -1;
        load.users[i].number = i;
        list_append(&load.idle, &load.users[i].node);
    }
}

static void move(struct user *user, enum user_state state, struct list *list)
{
    user->state = state;
    list_remove(&user->node);
    list_append(list, &user->node);
}

static void hang_up(struct user *user)
{
    if (user->fd >= 0)
        close(user->fd);
    user->fd = -1;
}

void user_fail(struct user *user, enum failure failure)
{
    load.tally.failed[failure]++;
    hang_up(user);
    user->started = now_us();
    move(user, USER_PAUSED, &load.paused);
}

static enum failure failure_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return FAIL_REFUSED;
    case ETIMEDOUT:
        return FAIL_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRINUSE:
    case EADDRNOTAVAIL:
        return FAIL_LOCAL;
    default:
        return FAIL_RESET;
    }
}

/* More than some 28,000 connections need more than one source address: it is chosen here, the port
 * by the kernel when it connects. */
static bool choose_source(const struct user *user)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int one = 1;

    if (load.plan.sources == 0)
        return true;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + user->number % load.plan.sources);
    return setsockopt(user->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) == 0 &&
           bind(user->fd, (struct sockaddr *)&from, sizeof(from)) == 0;
}

static bool dial(struct user *user)
{
    user->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return user->fd >= 0 && choose_source(user) &&
           (connect(user->fd, (const struct sockaddr *)&load.plan.server,
                    sizeof(load.plan.server)) == 0 || errno == EINPROGRESS);
}

/* Leaves the user reading, or still connecting, or failed. */
static void ask(struct user *user)
{
    size_t size = request_size[user->second];

    if (send(user->fd, request[user->second], size, MSG_NOSIGNAL) == (ssize_t)size)
        user->state = USER_READING;
    else if (errno != EAGAIN)
        user_fail(user, failure_of(errno));
}

/* A request is tried at once: on the loopback a connection mostly stands when connect returns. */
void user_begin(struct user *user, int64_t due)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = user};
    bool fresh = user->fd < 0;

    user->began = due;
    user->started = now_us();
    user->head_size = 0;
    user->in_body = user->last = false;
    move(user, USER_CONNECTING, &load.busy);
    if (fresh && !dial(user)) {
        user_fail(user, failure_of(errno));
        return;
    }
    ask(user);
    if (user->state == USER_CONNECTING)
        event.events |= EPOLLOUT;
    if (fresh && user->fd >= 0 && epoll_ctl(load.epoll, EPOLL_CTL_ADD, user->fd, &event) != 0)
        user_fail(user, FAIL_LOCAL);
}

/* ---------------------------------------------------------------- the answer ----------- */

/* The end of the head within `text`, or NULL. */
static const char *head_end(const char *text, size_t size)
{
    const char *end = memmem(text, size, "\r\n\r\n", 4);

    return end ? end + 4 : NULL;
}

/* Content-Length of a whole head of status 200; -1 where it is anything else. */
static int64_t body_size(const char *head, size_t size)
{
    static const char name[] = "\r\nContent-Length:";
    const size_t length = sizeof(name) - 1;

    if (size < 12 || memcmp(head, "HTTP/1.", 7) != 0 || memcmp(head + 8, " 200", 4) != 0)
        return -1;
    for (const char *at = head; (at = memchr(at, '\r', size - (size_t)(at - head))); at++)
        if (size - (size_t)(at - head) > length && strncasecmp(at, name, length) == 0)
            return strtoll(at + length, NULL, 10); /* the head ends in \r\n, so this ends */
    return -1;
}

/* Does the server say that it closes? */
static bool is_last(const char *head, size_t size)
{
    static const char field[] = "\r\nConnection: close\r\n";

    return memmem(head, size, field, sizeof(field) - 1) != NULL;
}

/* Takes the head out of what came, if it is complete with it. Returns how many bytes it took, or
 * -1 for an answer that is no good. */
static ssize_t take_head(struct user *user, const char *text, size_t size)
{
    size_t before = user->head_size;
    size_t part = size < HEAD_MAX - before ? size : HEAD_MAX - before;
    const char *whole = text, *end = before ? NULL : head_end(text, size);
    int64_t body;

    if (!end) {
        memcpy(user->head + before, text, part);
        user->head_size += (uint32_t)part;
        whole = user->head;
        end = head_end(whole, user->head_size);
        if (!end)
            return user->head_size < HEAD_MAX ? (ssize_t)size : -1;
    }
    body = body_size(whole, (size_t)(end - whole));
    user->in_body = true;
    user->last = is_last(whole, (size_t)(end - whole));
    user->left = (uint64_t)body;
    return body < 0 ? -1 : end - whole - (ssize_t)before;
}

/* False when the user failed. */
static bool feed(struct user *user, const char *text, size_t size)
{
    ssize_t head = user->in_body ? 0 : take_head(user, text, size);

    if (head >= 0 && user->in_body) {
        if (size - (size_t)head <= user->left) {
            user->left -= size - (size_t)head;
            return true;
        }
        head = -1;
    }
    if (head < 0)
        user_fail(user, FAIL_BAD);
    return head >= 0;
}

static void finish(struct user *user)
{
    struct tally *tally = &load.tally;
    int64_t now = now_us();

    tally->completed++;
    tally->in_window += now >= load.warm_until && now < load.until;
    if (user->began >= load.warm_until && user->began < load.until)
        calm_add(user->began, now - user->began, &tally->latency);
    user->served = true;
    move(user, USER_IDLE, &load.idle);
    load_next(user);
}

static void at_end_of_connection(struct user *user)
{
    switch (user->state) {
    case USER_IDLE:
        load.tally.reopened++;
        hang_up(user);
        break;
    case USER_CLOSING:
        hang_up(user);
        finish(user);
        break;
    case USER_READING:
        user_fail(user, user->in_body || user->head_size ? FAIL_SHORT : FAIL_RESET);
        break;
    case USER_CONNECTING:
    case USER_PAUSED:
        break;
    }
}

/* The whole answer is here. A connection that is not kept counts as done when it has ended. */
static void complete(struct user *user, bool ended)
{
    user->state = USER_CLOSING;
    if (!load.plan.keep) {
        if (ended)
            at_end_of_connection(user);
        return;
    }
    if (ended || user->last) {
        load.tally.reopened++;
        hang_up(user);
    }
    finish(user);
}

static void receive(struct user *user, bool ended)
{
    ssize_t n;

    do {
        n = recv(user->fd, in, sizeof(in), 0);
        if (n == 0)
            at_end_of_connection(user);
        else if (n < 0 && errno != EAGAIN)
            user_fail(user, FAIL_RESET);
        else if (n > 0 && user->state != USER_READING)
            user_fail(user, FAIL_BAD);
        if (n <= 0 || user->state != USER_READING || !feed(user, in, (size_t)n))
            return;
    } while (n == sizeof(in) && user->left > 0);
    if (user->in_body && user->left == 0)
        complete(user, ended);
    else if (ended)
        at_end_of_connection(user);
}

void user_event(struct user *user, uint32_t events)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (user->state == USER_CONNECTING && events & (EPOLLERR | EPOLLHUP)) {
        getsockopt(user->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        user_fail(user, failure_of(error));
    } else if (user->state == USER_CONNECTING && events & EPOLLOUT)
        ask(user);
    if (user->fd >= 0 && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        receive(user, events & (EPOLLRDHUP | EPOLLHUP));
}
