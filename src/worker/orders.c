/* Orders; see orders.h.
 *
 * Worker process (or one forked for a connection), main thread. In most models that thread does
 * nothing else, so it answers the master at once, whatever handlers do; in the model forking it
 * runs the loop, whose guest the orders are. One state, moved by orders_move() only. */
#include "config.h"

#include "worker/orders-private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "worker/children.h"
#include "worker/crew.h"

#define RELEASE_AFTER 1000 /* ms: less than a new master tries to get an address */
#define LEAVE_AFTER 2000   /* ms, like the grace of a master */
#define KILL_AFTER 1000    /* ms: before the master kills the worker itself */
#define EVENTS 16          /* looked at in one go */

/* What epoll tells; smaller numbers are records of children. */
enum source { ON_CHANNEL = 1 << 20, ON_SIGNAL, ON_WAKE, ON_TIMER };

static const char *const state_names[] = {"waiting", "serving", "draining", "stopping"};

void orders_move(struct orders *orders, enum orders_state to)
{
    if (to == orders->state)
        return;
    if (to == DRAINING && !orders->is_child)
        log_msg(LOG_DRAINING, "%s drains (was %s)", orders->who, state_names[orders->state]);
    orders->state = to;
    switch (to) {
    case WAITING:
        break;
    case SERVING:
        crew_command(orders->crew, LOOP_SERVE);
        break;
    case DRAINING:
        crew_command(orders->crew, LOOP_DRAIN);
        break;
    case STOPPING:
        crew_command(orders->crew, LOOP_STOP);
        orders->kill_at = clock_fresh_ms() + KILL_AFTER;
        break;
    }
}

void orders_drain(struct orders *orders, int64_t deadline_ms)
{
    int64_t deadline = deadline_ms > 0 ? clock_fresh_ms() + deadline_ms : 0;
    bool nearer = deadline && (!orders->deadline || deadline < orders->deadline);

    if (orders->state == STOPPING)
        return; /* all is cut: a deadline would only make the timer ring for ever */
    if (orders->state != DRAINING || nearer)
        orders->deadline = deadline;
    if (orders->state == WAITING || orders->state == SERVING)
        orders_move(orders, DRAINING);
}

/* Without a master nobody takes new connections from the backlog but us: empty it, then finish. */
void orders_master_gone(struct orders *orders)
{
    orders->master_gone = true;
    epoll_ctl(orders->fd, EPOLL_CTL_DEL, orders->channel, NULL);
    if (!orders->is_child && orders->drain_timeout > 0)
        log_msg(LOG_MASTER_GONE, "the master is gone; finishing what is in hand, at most %lld ms",
                (long long)orders->drain_timeout);
    else if (!orders->is_child)
        log_msg(LOG_MASTER_GONE, "the master is gone; finishing what is in hand");
    if (!orders->is_child) /* before anybody empties them; a child's master is only a worker */
        crew_shut_passages(orders->crew);
    crew_listener_removed(orders->crew, "*");
    orders->release_at = clock_fresh_ms() + RELEASE_AFTER;
    orders_drain(orders, orders->drain_timeout);
    if (orders->state == STOPPING)
        orders->leave_at = clock_fresh_ms() + LEAVE_AFTER;
}

static void on_signal(struct orders *orders)
{
    struct signalfd_siginfo info;

    if (read(orders->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD) {
        children_reap(orders->children);
        orders_settle(orders);
        return;
    }
    if (orders->state != WAITING && orders->state != SERVING)
        return;
    if (!orders->is_child)
        orders_tell(orders, MSG_LEAVING, 0, NULL);
    orders_drain(orders, orders->drain_timeout);
}

static void on_wake(struct orders *orders)
{
    uint64_t count;
    ssize_t n = read(orders->wake_fd, &count, sizeof(count));

    (void)n;
    if (orders->quiet || orders->state == WAITING || orders->state == SERVING ||
        !crew_has_stopped_accepting(orders->crew))
        return;
    orders->quiet = true;
    crew_close_listeners(orders->crew);
    orders_settle(orders);
}

static bool is_due(int64_t at)
{
    return at != 0 && clock_fresh_ms() >= at;
}

/* What its time has come for. */
static void keep_time(struct orders *orders)
{
    if (is_due(orders->release_at)) {
        if (!orders->quiet)
            crew_release_listeners(orders->crew); /* or the next master could not have them */
        orders->release_at = 0;
    }
    if (orders->state == DRAINING && is_due(orders->deadline)) {
        log_msg(LOG_DRAIN_DEADLINE, "the drain deadline has passed; what is left is cut");
        orders_move(orders, STOPPING);
        orders->deadline = 0;
        if (orders->master_gone)
            orders->leave_at = clock_fresh_ms() + LEAVE_AFTER;
    }
    if (is_due(orders->kill_at)) {
        children_kill(orders->children);
        orders->kill_at = 0;
    }
    if (is_due(orders->leave_at)) {
        log_msg(LOG_WORKER_STUCK, "a thread does not come back; the worker ends without it");
        _exit(WORKER_DRAINED);
    }
}

/* The timer rings at the next of these times. */
static void set_timer(struct orders *orders)
{
    const int64_t times[] = {orders->deadline, orders->kill_at, orders->release_at,
                             orders->leave_at};
    struct itimerspec next = {0};
    int64_t now = clock_fresh_ms(), wait = 0;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i] != 0 && (wait == 0 || times[i] - now < wait))
            wait = times[i] > now ? times[i] - now : 1;
    if (wait == 0 && !orders->timer_set)
        return;
    orders->timer_set = wait != 0;
    next.it_value.tv_sec = wait / 1000;
    next.it_value.tv_nsec = wait % 1000 * 1000000;
    timerfd_settime(orders->timer_fd, 0, &next, NULL);
}

static void on_event(struct orders *orders, uint64_t source)
{
    switch (source) {
    case ON_CHANNEL:
        orders_hear(orders);
        break;
    case ON_SIGNAL:
        on_signal(orders);
        break;
    case ON_WAKE:
        on_wake(orders);
        break;
    case ON_TIMER:
        break; /* keep_time() looks at the clock */
    default:
        children_hear(orders->children, (unsigned)source);
        orders_settle(orders);
        break;
    }
}

void orders_obey(struct orders *orders, bool wait)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(orders->fd, events, EVENTS, wait ? -1 : 0);

    if (count <= 0)
        return;
    for (int i = 0; i < count; i++)
        on_event(orders, events[i].data.u64);
    keep_time(orders);
    set_timer(orders);
}

/* ---------------------------------------------------------------- open and close --- */

static bool listen_to(struct orders *orders, int fd, enum source source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = source};

    return fd >= 0 && epoll_ctl(orders->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool orders_open(struct orders *orders, int channel)
{
    sigset_t heard;

    sigemptyset(&heard);
    sigaddset(&heard, SIGTERM);
    sigaddset(&heard, SIGCHLD);
    orders->channel = channel;
    orders->fd = epoll_create1(EPOLL_CLOEXEC);
    orders->signal_fd = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    orders->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    orders->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!orders->room)
        orders->room = malloc(CHANNEL_TEXT_MAX + 1);
    return orders->room && listen_to(orders, channel, ON_CHANNEL) &&
           listen_to(orders, orders->signal_fd, ON_SIGNAL) &&
           listen_to(orders, orders->timer_fd, ON_TIMER) &&
           listen_to(orders, orders->wake_fd, ON_WAKE);
}

static void close_all(struct orders *orders)
{
    sys_close(&orders->channel);
    sys_close(&orders->signal_fd);
    sys_close(&orders->timer_fd);
    sys_close(&orders->wake_fd);
    sys_close(&orders->fd);
}

bool orders_become_child(struct orders *orders, int channel)
{
    close_all(orders);
    *orders = (struct orders){
        .state = SERVING,
        .is_child = true,
        .quiet = true, /* it accepts nothing, and nobody waits for that */
        .log_fd = orders->log_fd,
        .room = orders->room,
        .crew = orders->crew,
        .drain_timeout = orders->drain_timeout,
        .drains.ops = orders->drains.ops,
        .reopens.ops = orders->reopens.ops,
    };
    return orders_open(orders, channel);
}

void orders_close(struct orders *orders)
{
    close_all(orders);
    free(orders->room);
    free(orders->drains.ops);
    free(orders->reopens.ops);
}
