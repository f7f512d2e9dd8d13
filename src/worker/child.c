/* A connection's process; see child.h.
 *
 * Forked from the one thread of a worker, so all memory and descriptors of the worker are here as
 * copies; nothing is freed, the end of the process does that. It ends by _exit(2): what the worker
 * or its modules have left for exit(3) is not this process's to do. */
#include "config.h"

#include "worker/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "conf/core.h"
#include "worker/crew-private.h"
#include "worker/handover.h"
#include "worker/orders.h"
#include "worker/sandbox.h"
#include "worker/words.h"

#define GRACE 2 /* seconds beyond its time that it may take to end */

static struct board *board;
static pid_t worker_pid;
static unsigned orphan_time; /* seconds that are left to it without a worker, 0: no limit */

/* The kernel tells of the worker's death. Its part of the board is no longer ours; and should a
 * handler block this process, there is nobody to end it but the alarm. */
static void on_worker_gone(int number)
{
    int saved = errno;

    (void)number;
    if (getppid() == worker_pid)
        return;
    board_detach(board);
    alarm(orphan_time);
    errno = saved; /* of what it has interrupted */
}

static void heed_worker(pid_t pid, int64_t drain_timeout)
{
    struct sigaction action = {.sa_handler = on_worker_gone, .sa_flags = SA_RESTART};
    sigset_t open;

    worker_pid = pid;
    if (drain_timeout > 0)
        orphan_time = (unsigned)(drain_timeout / 1000) + GRACE;
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&open);
    sigaddset(&open, SIGUSR1);
    sigaddset(&open, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &open, NULL);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    on_worker_gone(0); /* it may have died before that was said */
}

void child_main(struct crew *crew, const struct accepted *accepted, unsigned record, int channel)
{
    struct board_thread *shown = &crew->handover->board.own->thread[record];
    struct loop_settings settings = {
        .engine = &crew->engine,
        .connections = 1,
        .wait = crew->core->model.wait,
        .record = shown,
        .launched = true,
        .guest_ready = crew_obey_now,
        .guest_arg = crew->orders,
    };

    log_thread_name("conn");
    words_forked((int)record);
    board = &crew->handover->board;
    heed_worker(crew->pid, crew->core->drain_timeout);
    crew_close_listeners(crew);
    crew->children = NULL;
    if (!orders_become_child(crew->orders, channel))
        goto failed;
    settings.guest_fd = crew->orders->fd;
    board_set(&shown->pid, (uint32_t)getpid());
    crew->loops[0].watched.loop = loop_new(&settings);
    if (!crew->loops[0].watched.loop)
        goto failed;
    if (!sandbox_enter_child())
        goto failed;
    if (crew_thread_init() != 0)
        _exit(WORKER_SICK);
    loop_serve_one(crew->loops[0].watched.loop, accepted);
    crew_thread_exit();
    _exit(WORKER_DRAINED);
failed:
    log_errno(LOG_SYSTEM, "a connection cannot be served");
    _exit(WORKER_SICK);
}
