/* Signals to the master; see signals.h. They arrive through a signalfd, so that each is handled in
 * the main loop like any other message, never in the middle of something. */
#include "config.h"

#include "master/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/generation.h"
#include "master/logs.h"
#include "master/muster.h"
#include "master/operation.h"
#include "master/reload.h"
#include "master/state.h"
#include "master/stop.h"
#include "master/tester.h"
#include "master/upgrade.h"
#include "master/workers.h"

#define FAST_DRAIN 1000 /* ms, for INT */

static struct watch watch = {.fd = -1};

static void on_child(void)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (!worker_reaped(pid, status) && !tester_reaped(pid, status))
            say(LOG_STRANGER_REAPED, "pid %d", (int)pid);
}

static void on_term(void)
{
    int64_t drain = master.serving ? master.serving->core.drain_timeout : 1;

    stop_begin(master.state == MASTER_STOPPING ? 1 : drain, NULL);
}

static void on_int(void)
{
    stop_begin(master.state == MASTER_STOPPING ? 1 : FAST_DRAIN, NULL);
}

static void on_quit(void)
{
    if (master.state != MASTER_STOPPING)
        stop_begin(0, NULL);
}

static void on_hup(void)
{
    if (master.state != MASTER_STOPPING)
        reload_request(0);
}

static void on_usr1(void)
{
    logs_reopen(operation_new(VERB_REOPEN_LOGS));
}

static void scale_by(int step)
{
    int count = master.serving ? muster_count(master.serving) + step : 0;
    struct operation *operation;

    if (count >= 1 && count <= SLOTS_MAX && !master.trial) {
        operation = muster_by_hand(count);
    } else {
        operation = operation_new(VERB_SCALE);
        operation_result(operation, CONTROL_REFUSED,
                         "the number of workers cannot be changed by %+d now (1 to %d, and not "
                         "during a reload)", step, SLOTS_MAX);
    }
    operation_ack(operation);
}

static void on_ttin(void)
{
    scale_by(1);
}

static void on_ttou(void)
{
    scale_by(-1);
}

static void on_usr2(void)
{
    operation_ack(upgrade_request(NULL));
}

static void on_nothing(void)
{
}

/* reeved(8), SIGNALS */
static const struct {
    int number;
    void (*act)(void);
} table[] = {
    {SIGCHLD, on_child}, {SIGTERM, on_term}, {SIGINT, on_int},     {SIGQUIT, on_quit},
    {SIGHUP, on_hup},    {SIGUSR1, on_usr1}, {SIGUSR2, on_usr2},   {SIGTTIN, on_ttin},
    {SIGTTOU, on_ttou},  {SIGPIPE, on_nothing}, {SIGWINCH, on_nothing},
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static void on_signal(void *arg, uint32_t events)
{
    struct signalfd_siginfo info;

    (void)arg;
    (void)events;
    if (read(watch.fd, &info, sizeof(info)) != sizeof(info))
        return;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        if (table[i].number == (int)info.ssi_signo)
            table[i].act();
}

int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < TABLE_SIZE; i++)
        sigaddset(&set, table[i].number);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    watch = (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
                           .ready = on_signal};
    return watch.fd < 0 ? -1 : reactor_watch(&watch, EPOLLIN);
}
