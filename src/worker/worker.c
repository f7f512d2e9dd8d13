/* A worker's life; see worker.h.
 *
 * Worker process, main thread: it loads, reports, serves through its crew while it obeys its orders
 * (orders.h), and ends. It owns all that lives as long as the process. */
#include "config.h"

#include "worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "conf/conf.h"
#include "net/hand.h"
#include "share/channel.h"
#include "share/snapshot.h"
#include "worker/crew.h"
#include "worker/exits.h"
#include "worker/handover.h"
#include "worker/load.h"
#include "worker/logfile.h"
#include "worker/orders.h"
#include "worker/stacks.h"
#include "worker/watch.h"
#include "worker/words.h"
#include "worker/sandbox.h"

struct worker {
    struct handover handover;
    struct loaded loaded;
    struct orders orders;
    struct crew *crew;
};

static void block_signals(void)
{
    sigset_t all;

    words_fill_but_fatal(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void put_module_lines(const struct modules *modules, struct buf *out)
{
    for (size_t i = 0; i < modules->count; i++)
        buf_printf(out, "%s %s %s\n",
                   modules->list[i]->kind == REEVE_PROTOCOL ? "protocol" : "handler",
                   modules->list[i]->name, modules->list[i]->version);
}

/* By one worker of each generation, as it begins. */
static void log_idle(const struct buf *lines)
{
    for (const char *line = buf_text(lines), *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        log_msg(LOG_OPTION_IDLE, "%.*s", (int)(end - line), line);
    }
}

static int worker_fail(struct worker *worker, struct buf *errors, enum worker_exit status)
{
    orders_tell(&worker->orders, MSG_FAILED, 0, buf_text(errors));
    buf_free(errors);
    return status;
}

/* The listener is the master's from now on, and nobody's here: see strict.c. */
static void tell_sandbox(struct orders *orders, const char *account, struct sandbox *sandbox)
{
    struct buf text = {0};

    buf_printf(&text, "%s\n", account);
    sandbox_put(sandbox, &text);
    orders_tell_sandbox(orders, sandbox->listener, buf_text(&text));
    sys_close(&sandbox->listener);
    buf_free(&text);
}

/* Loads, drops privileges, starts the crew, and reports. The exit status to end with, or -1 to go
 * on. */
static int worker_prepare(struct worker *worker)
{
    struct buf errors = {0}, files = {0}, lines = {0};
    struct loaded *loaded = &worker->loaded;
    const char *refused;
    bool check = worker->handover.slot == CHANNEL_CHECK_SLOT;
    struct sandbox sandbox = {.quiet = worker->handover.slot != 0, .listener = -1};

    logfile_source(check ? -1 : worker->handover.channel);
    if (!load_all(worker->handover.snapshot, loaded, &errors))
        return worker_fail(worker, &errors, WORKER_BAD_CONF);
    orders_set_level(worker->handover.level >= 0 ? worker->handover.level
                                                 : (int)loaded->core.log_level);
    log_open(worker->orders.log_fd, loaded->core.log_format);
    words_objects(); /* again: the modules are among them now */
    if (worker->handover.slot == 0)
        log_idle(&loaded->idle);
    log_msg(LOG_WORKER_LOADED, "%zu modules for %s", loaded->modules.count, worker->orders.who);
    logfile_close_source();
    if (modules_worker_init(&loaded->modules, &refused) < 0) {
        buf_printf(&errors, "the module %s refused to start; the error log may say why\n", refused);
        return worker_fail(worker, &errors, WORKER_BAD_CONF);
    }
    sandbox.keep_root = geteuid() == 0 && loaded->identity.uid == 0;
    sandbox.forks = loaded->core.model.each == EACH_PROCESS;
    sandbox_prepare(&sandbox, conf_root(loaded->conf), &loaded->modules);
    if (!sandbox.keep_root)
        caps_empty_bounding();
    if (!sandbox.forks) /* a connection's process may outlive it and lets go of the board */
        board_seal(&worker->handover.board);
    if (!identity_assume(&loaded->identity, &errors) ||
        !sandbox_enter(&sandbox, conf_root(loaded->conf), &errors))
        return worker_fail(worker, &errors, WORKER_BAD_CONF);
    tell_sandbox(&worker->orders, loaded->identity.name, &sandbox);
    put_module_lines(&loaded->modules, &lines);
    worker->orders.drain_timeout = loaded->core.drain_timeout;
    if (!check) {
        worker->crew = crew_start(&loaded->core, &loaded->modules, &worker->handover,
                                  &worker->orders, &errors);
        if (!worker->crew)
            return worker_fail(worker, &errors, WORKER_SICK);
    }
    conf_put_reads(&files);
    if (files.length > 0)
        orders_tell(&worker->orders, MSG_FILES, 0, buf_text(&files));
    orders_tell(&worker->orders, MSG_READY, 0, buf_text(&lines));
    buf_free(&files);
    buf_free(&lines);
    return check ? WORKER_DRAINED : -1;
}

/* The end of a worker that served. */
static void worker_finish(struct worker *worker)
{
    if (watch_has_lost(worker->crew)) {
        crew_leave(worker->crew);
        logfile_thread_end();
        log_msg(LOG_DRAINED, "%s has finished, but for threads that are lost", worker->orders.who);
        _exit(WORKER_DRAINED); /* they may still look at anything */
    }
    crew_end(&worker->crew);
    modules_worker_exit(&worker->loaded.modules);
    logfile_thread_end();
    log_msg(LOG_DRAINED, "%s has finished", worker->orders.who);
}

int worker_main(void)
{
    struct worker worker = {.orders = {.state = WAITING, .log_fd = -1}};
    struct orders *orders = &worker.orders;
    int status;

    block_signals();
    clock_refresh();
    words_prime();
    stacks_begin();
    tzset(); /* the C library reads the time zone's file once: here, not in the first request */
    log_thread_name("main");
    sys_set_cloexec(CHANNEL_WORKER_FD, true);
    if (!handover_receive(&worker.handover, CHANNEL_WORKER_FD) ||
        !orders_open(orders, CHANNEL_WORKER_FD))
        _exit(WORKER_SICK); /* nothing has begun: nothing to end */
    words_begin(worker.handover.board.own_words, hand_tell, logfile_flush);
    exits_watch();
    snprintf(orders->who, sizeof(orders->who), "slot %d of generation %u", worker.handover.slot,
             worker.handover.generation);
    orders_log_to(orders, worker.handover.log_fd);
    log_open(orders->log_fd, LOG_TEXT);
    status = worker_prepare(&worker);
    if (status < 0) {
        crew_serve(worker.crew);
        worker_finish(&worker);
        status = WORKER_DRAINED;
    }
    if (status == WORKER_SICK)
        _exit(status); /* some threads may have started: leave them all they look at */
    load_free(&worker.loaded);
    handover_free(&worker.handover);
    orders->channel = -1; /* the end of the process closes it: the master kills who has done so */
    orders_close(orders);
    return status;
}
