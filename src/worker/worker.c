/* A worker's life; see worker.h.
 *
 * Worker process, main thread: it loads, reports, then sits between the channel, SIGTERM and its
 * crew. It serves nothing itself, so it answers the master at once, whatever handlers do. One
 * state, moved by worker_move() only. */
#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "share/channel.h"
#include "share/snapshot.h"
#include "worker/crew.h"
#include "worker/handover.h"
#include "worker/load.h"
#include "worker/logfile.h"

#define RELEASE_AFTER 1000 /* ms: less than a new master tries to get an address */
#define LEAVE_AFTER 2000   /* ms, like the grace of a master */

enum worker_state { WAITING, SERVING, DRAINING, STOPPING };
static const char *const state_names[] = {"waiting", "serving", "draining", "stopping"};

struct worker {
    enum worker_state state;
    struct handover handover;
    struct loaded loaded;
    struct crew *crew;
    int log_fd;         /* our copy of the error log, or -1 for syslog */
    int signal_fd, wake_fd;
    bool master_gone;
    bool quiet;         /* every loop has stopped accepting and the master was told */
    uint32_t drain_op;  /* to acknowledge when quiet */
    int64_t deadline;   /* of the drain, CLOCK_MONOTONIC ms; 0: none */
    /* Without a master, who would see to it (CLOCK_MONOTONIC ms; 0: not set): */
    int64_t release_at; /* let go of the listeners, whatever the loops do */
    int64_t leave_at;   /* exit, whatever the threads do */
    char *room;
};

static void worker_move(struct worker *worker, enum worker_state to)
{
    if (to == worker->state)
        return;
    if (to == DRAINING)
        log_msg(LOG_DRAINING, "slot %d of generation %u drains (was %s)", worker->handover.slot,
                worker->handover.generation, state_names[worker->state]);
    worker->state = to;
    switch (to) {
    case WAITING:
        break;
    case SERVING:
        crew_command(worker->crew, LOOP_SERVE);
        break;
    case DRAINING:
        crew_command(worker->crew, LOOP_DRAIN);
        break;
    case STOPPING:
        crew_command(worker->crew, LOOP_STOP);
        break;
    }
}

static void tell(struct worker *worker, enum msg_type type, uint32_t op, const char *text)
{
    struct msg msg = {.type = type, .op = op, .fd = -1, .text = text,
                      .length = text ? strlen(text) : 0};

    if (msg.length > CHANNEL_TEXT_MAX)
        msg.length = CHANNEL_TEXT_MAX;
    if (!worker->master_gone && channel_send(worker->handover.channel, &msg) < 0)
        log_errno(LOG_CHANNEL_BAD, "%s cannot be sent to the master", msg_name(type));
}

/* Where the error log goes from now on; also puts it under descriptor 2 when it is a file, so that
 * what libraries print is not lost. */
static void worker_log_to(struct worker *worker, int fd)
{
    if (fd >= 0 && worker->log_fd >= 0) {
        dup3(fd, worker->log_fd, O_CLOEXEC); /* in place: other threads may be writing */
        sys_close(&fd);
    } else {
        worker->log_fd = fd;
    }
    if (worker->log_fd >= 0)
        dup2(worker->log_fd, STDERR_FILENO);
}

static void worker_drain(struct worker *worker, int64_t deadline_ms)
{
    int64_t deadline = deadline_ms > 0 ? clock_fresh_ms() + deadline_ms : 0;
    bool nearer = deadline && (!worker->deadline || deadline < worker->deadline);

    if (worker->state != DRAINING || nearer)
        worker->deadline = deadline;
    if (worker->state == WAITING || worker->state == SERVING)
        worker_move(worker, DRAINING);
}

static void set_level(int level)
{
    if (level >= REEVE_LOG_ERROR && level <= REEVE_LOG_DEBUG)
        log_set_level((enum reeve_level)level);
}

static void on_message(struct worker *worker, struct msg *msg)
{
    switch (msg->type) {
    case MSG_SERVE:
        if (worker->state == WAITING)
            worker_move(worker, SERVING);
        tell(worker, MSG_ACK, msg->op, NULL);
        return;
    case MSG_REMOVED:
        crew_listener_removed(worker->crew, msg->text);
        return;
    case MSG_DRAIN:
        worker_drain(worker, msg->value);
        if (worker->quiet)
            tell(worker, MSG_ACK, msg->op, NULL);
        else
            worker->drain_op = msg->op;
        return;
    case MSG_LOG:
        worker_log_to(worker, msg->fd);
        return;
    case MSG_LOGFILE:
        logfile_reopened(msg->text, msg->fd);
        return;
    case MSG_REOPENED:
        tell(worker, MSG_ACK, msg->op, NULL);
        return;
    case MSG_LOOK:
        if (worker->state == SERVING)
            crew_command(worker->crew, LOOP_LOOK);
        return;
    case MSG_LEVEL:
        set_level(msg->value);
        return;
    case MSG_BOARD:
    case MSG_SNAPSHOT:
    case MSG_LISTENER:
    case MSG_START:
    case MSG_READY:
    case MSG_FAILED:
    case MSG_LEAVING:
    case MSG_ACK:
    case MSG_TYPES:
        break;
    }
    log_msg(LOG_CHANNEL_BAD, "%s is not expected now", msg_name(msg->type));
    sys_close(&msg->fd);
}

/* Without a master nobody takes new connections from the backlog but us: empty it, then finish. */
static void on_master_gone(struct worker *worker)
{
    worker->master_gone = true;
    log_msg(LOG_MASTER_GONE, "the master is gone; finishing what is in hand, at most %lld ms",
            (long long)worker->loaded.core.drain_timeout);
    crew_listener_removed(worker->crew, "*");
    worker->release_at = clock_fresh_ms() + RELEASE_AFTER;
    worker_drain(worker, worker->loaded.core.drain_timeout);
}

static void on_channel(struct worker *worker)
{
    struct msg msg;
    int got = channel_recv(worker->handover.channel, &msg, worker->room, TO_WORKER);

    if (got == 1)
        on_message(worker, &msg);
    else if (got == 0)
        on_master_gone(worker);
    else if (errno != EAGAIN)
        log_errno(LOG_CHANNEL_BAD, "a message from the master was dropped");
}

static void on_signal(struct worker *worker)
{
    struct signalfd_siginfo info;

    if (read(worker->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (worker->state != WAITING && worker->state != SERVING)
        return;
    tell(worker, MSG_LEAVING, 0, NULL);
    worker_drain(worker, worker->loaded.core.drain_timeout);
}

static void on_wake(struct worker *worker)
{
    uint64_t count;
    ssize_t n = read(worker->wake_fd, &count, sizeof(count));

    (void)n;
    if (worker->quiet || worker->state == WAITING || worker->state == SERVING ||
        !crew_has_stopped_accepting(worker->crew))
        return;
    worker->quiet = true;
    crew_close_listeners(worker->crew);
    if (worker->drain_op)
        tell(worker, MSG_ACK, worker->drain_op, NULL);
}

static bool is_due(int64_t at)
{
    return at != 0 && clock_fresh_ms() >= at;
}

static int wait_ms(const struct worker *worker)
{
    const int64_t times[] = {worker->deadline, worker->release_at, worker->leave_at};
    int64_t now = clock_fresh_ms(), wait = -1;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i] != 0 && (wait < 0 || times[i] - now < wait))
            wait = times[i] > now ? times[i] - now : 0;
    return wait > 3600000 ? 3600000 : (int)wait;
}

/* What its time has come for. */
static void worker_keep_time(struct worker *worker)
{
    if (is_due(worker->release_at)) {
        if (!worker->quiet)
            crew_release_listeners(worker->crew); /* or the next master could not have them */
        worker->release_at = 0;
    }
    if (worker->state == DRAINING && is_due(worker->deadline)) {
        log_msg(LOG_DRAIN_DEADLINE, "the drain deadline has passed; what is left is cut");
        worker_move(worker, STOPPING);
        worker->deadline = 0;
        if (worker->master_gone)
            worker->leave_at = clock_fresh_ms() + LEAVE_AFTER;
    }
    if (is_due(worker->leave_at)) {
        log_msg(LOG_WORKER_STUCK, "a thread does not come back; the worker ends without it");
        _exit(WORKER_DRAINED);
    }
}

static void worker_wait(struct worker *worker)
{
    struct pollfd fds[] = {
        {.fd = worker->master_gone ? -1 : worker->handover.channel, .events = POLLIN},
        {.fd = worker->signal_fd, .events = POLLIN},
        {.fd = worker->wake_fd, .events = POLLIN},
    };

    if (poll(fds, 3, wait_ms(worker)) < 0)
        return;
    if (fds[0].revents)
        on_channel(worker);
    if (fds[1].revents)
        on_signal(worker);
    if (fds[2].revents)
        on_wake(worker);
    worker_keep_time(worker);
}

static void block_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    /* What the hardware says must kill at once, with a core. */
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        sigdelset(&all, fatal[i]);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static bool worker_open(struct worker *worker)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    worker->signal_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->room = malloc(CHANNEL_TEXT_MAX + 1);
    return worker->signal_fd >= 0 && worker->wake_fd >= 0 && worker->room;
}

static void put_module_lines(const struct modules *modules, struct buf *out)
{
    for (size_t i = 0; i < modules->count; i++)
        buf_printf(out, "%s %s %s\n",
                   modules->list[i]->kind == REEVE_PROTOCOL ? "protocol" : "handler",
                   modules->list[i]->name, modules->list[i]->version);
}

static int worker_fail(struct worker *worker, struct buf *errors, enum worker_exit status)
{
    tell(worker, MSG_FAILED, 0, buf_text(errors));
    buf_free(errors);
    return status;
}

/* Loads, drops privileges, starts the crew, and reports. The exit status to end with, or -1 to go
 * on. */
static int worker_prepare(struct worker *worker)
{
    struct buf errors = {0}, lines = {0};
    struct loaded *loaded = &worker->loaded;
    bool check = worker->handover.slot == CHANNEL_CHECK_SLOT;

    logfile_source(check ? -1 : worker->handover.channel);
    if (!load_all(worker->handover.snapshot, loaded, &errors))
        return worker_fail(worker, &errors, WORKER_BAD_CONF);
    set_level(worker->handover.level >= 0 ? worker->handover.level : (int)loaded->core.log_level);
    log_open(worker->log_fd, loaded->core.log_format);
    log_msg(LOG_WORKER_LOADED, "%zu modules for slot %d of generation %u", loaded->modules.count,
            worker->handover.slot, worker->handover.generation);
    logfile_close_source();
    if (modules_worker_init(&loaded->modules) < 0) {
        buf_adds(&errors, "a module refused to start; the error log says which and why\n");
        return worker_fail(worker, &errors, WORKER_BAD_CONF);
    }
    if (!identity_assume(&loaded->identity, &errors))
        return worker_fail(worker, &errors, WORKER_BAD_CONF);
    put_module_lines(&loaded->modules, &lines);
    if (!check) {
        worker->crew = crew_start(&loaded->core, &loaded->modules, &worker->handover,
                                  worker->wake_fd, &errors);
        if (!worker->crew)
            return worker_fail(worker, &errors, WORKER_SICK);
    }
    tell(worker, MSG_READY, 0, buf_text(&lines));
    buf_free(&lines);
    return check ? WORKER_DRAINED : -1;
}

/* The end of a worker that served. */
static void worker_finish(struct worker *worker)
{
    crew_end(&worker->crew);
    modules_worker_exit(&worker->loaded.modules);
    logfile_thread_end();
    log_msg(LOG_DRAINED, "slot %d of generation %u has finished", worker->handover.slot,
            worker->handover.generation);
}

int worker_main(void)
{
    struct worker worker = {.state = WAITING, .log_fd = -1};
    int status;

    block_signals();
    clock_refresh();
    log_thread_name("main");
    sys_set_cloexec(CHANNEL_WORKER_FD, true);
    if (!handover_receive(&worker.handover, CHANNEL_WORKER_FD) || !worker_open(&worker))
        _exit(WORKER_SICK); /* nothing has begun: nothing to end */
    worker_log_to(&worker, worker.handover.log_fd);
    log_open(worker.log_fd, LOG_TEXT);
    status = worker_prepare(&worker);
    if (status < 0) {
        while (!crew_is_done(worker.crew))
            worker_wait(&worker);
        worker_finish(&worker);
        status = WORKER_DRAINED;
    }
    if (status == WORKER_SICK)
        _exit(status); /* some threads may have started: leave them all they look at */
    load_free(&worker.loaded);
    handover_free(&worker.handover);
    free(worker.room);
    return status;
}
