/* The master process; see master.h.
 *
 * It starts, then waits in reactor_turn() for signals, workers, control clients and timers, until
 * nothing is left to wait for. It has one thread, loads no module, and never blocks. */
#include "config.h"

#include "master/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "conf/conf.h"
#include "master/control.h"
#include "master/hearing.h"
#include "master/instance.h"
#include "master/listener.h"
#include "master/logs.h"
#include "master/manager.h"
#include "master/notify.h"
#include "master/oom.h"
#include "master/past.h"
#include "master/patrol.h"
#include "master/reload.h"
#include "master/report.h"
#include "master/signals.h"
#include "master/spawn.h"
#include "master/state.h"
#include "master/upgrade.h"
#include "master/verbs.h"
#include "master/workers.h"
#include "share/snapshot.h"

/* The first generation serves, or the start failed: tells the parent of `reeved -d`, once. */
static void tell_parent(int status)
{
    static int told;
    char byte = (char)status;
    ssize_t n;

    if (told++)
        return;
    if (status == 0) {
        patrol_start();
        manager_ready();
    }
    if (master.options->ready_fd < 0)
        return;
    n = write(master.options->ready_fd, &byte, 1);
    (void)n; /* the waiting parent may have been killed: nothing to tell then */
    if (logs_fd(false) > STDERR_FILENO)
        dup2(logs_fd(false), STDERR_FILENO); /* what libraries print */
    close(master.options->complaint_fd);
    close(master.options->ready_fd);
}

/* ---------------------------------------------------------------- start ------------ */

/* More descriptors for everybody; tables are never sized from it. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool open_parts(const struct core *core, struct buf *error)
{
    if (!instance_lock(core->control, core->pid_file, error) || !logs_try(core, error))
        return false;
    logs_adopt(core);
    if (spawn_open() < 0 || reactor_open() < 0 || board_create(&master.board) < 0 ||
        signals_open() < 0) {
        buf_printf(error, "the master cannot start: %s\n", strerror(errno));
        return false;
    }
    master.control = strdup(core->control);
    master.control_group = strdup(core->control_group);
    master.pid_file = strdup(core->pid_file);
    if (!master.control || !master.control_group || !master.pid_file) {
        buf_adds(error, "the master cannot start: out of memory\n");
        return false;
    }
    return control_open(core, error) && instance_write_pid(core->pid_file, error);
}

/* False after lines in `error` or on stderr. */
static bool start(struct buf *error)
{
    const struct options *options = master.options;
    struct snapshot *snapshot = snapshot_take(options->config, conf_builtin, options->overrides,
                                              options->override_count, error);
    struct conf *conf = snapshot ? conf_parse(snapshot, NULL, 0, error) : NULL;
    struct core core;
    bool ok = conf && core_read(conf, &core, error);

    if (ok) {
        ok = open_parts(&core, error);
        if (ok) {
            say(LOG_STARTING, "reeved %s, PID %d, configuration %s", VERSION, (int)getpid(),
                snapshot->path);
            if (!options->config)
                say(LOG_BUILTIN_CONFIG,
                    "no configuration file: serving the current directory, %s, on %s",
                    snapshot->folder, core.listens[0].title);
            say(LOG_SIZING, "%s", core.sizing);
        }
        core_free(&core);
    }
    conf_free(&conf);
    snapshot_free(&snapshot);
    return ok && reload_first();
}

/* From the start, or an upgrade, to the end. */
static int run(void)
{
    report_begin();
    workers_hear(hearing);
    control_serve(verb_dispatch);
    while (!master.finished) {
        reactor_turn();
        if (master.state == MASTER_SERVING)
            tell_parent(0);
    }
    listeners_close_all();
    say(LOG_STOPPED, "status %d", master.exit_status);
    control_close();
    instance_release();
    notify_close();
    board_close(&master.board);
    past_free();
    free(master.last_error);
    tell_parent(master.exit_status);
    return master.exit_status;
}

int master_succeed(char **argv)
{
    notify_open();
    oom_open();
    return succeed(argv) ? run() : 1;
}

int master_main(const struct options *options)
{
    struct buf error = {0};

    master.options = options;
    master.exit_status = 0;
    log_thread_name("master");
    clock_refresh();
    master.started = clock_fresh_ms();
    raise_limits();
    notify_open();
    oom_open();
    if (!start(&error)) {
        master_complain(buf_text(&error));
        buf_free(&error);
        control_close();
        instance_release();
        return 1;
    }
    return run();
}
