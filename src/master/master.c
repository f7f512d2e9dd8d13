/* The master process; see master.h.
 *
 * It starts, then waits in reactor_turn() for signals, workers, control clients and timers, until
 * nothing is left to wait for. It has one thread, loads no module, and never blocks. */
#include "config.h"

#include "master/master.h"

#include <errno.h>
#include <stdarg.h>
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
#include "master/generation.h"
#include "master/instance.h"
#include "master/listener.h"
#include "master/logs.h"
#include "master/operation.h"
#include "master/reload.h"
#include "master/report.h"
#include "master/signals.h"
#include "master/spawn.h"
#include "master/workers.h"
#include "share/snapshot.h"

struct master master;

/* ---------------------------------------------------------------- saying ----------- */

void say(enum log_tag tag, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    log_line(log_tags[tag].level, log_tags[tag].tag, buf_text(&text));
    control_event(tag, buf_text(&text));
    buf_free(&text);
}

void master_set_error(const char *text)
{
    free(master.last_error);
    master.last_error = strdup(text);
}

void master_report_start(int status)
{
    static int told;
    char byte = (char)status;
    ssize_t n;

    if (told++)
        return;
    if (status == 0)
        report_start();
    if (master.options->ready_fd < 0)
        return;
    n = write(master.options->ready_fd, &byte, 1);
    (void)n; /* the waiting parent may have been killed: nothing to tell then */
    /* Standard error goes where the error log goes; standard output is /dev/null by now. */
    if (status == 0 && !logs_to_stderr())
        dup2(logs_error_fd() >= 0 ? logs_error_fd() : STDOUT_FILENO, STDERR_FILENO);
    close(master.options->ready_fd);
}

/* ---------------------------------------------------------------- stopping --------- */

void master_check_finished(void)
{
    if (master.state == MASTER_STOPPING && list_empty(&master.generations))
        master.finished = true;
}

static void announce_end(struct generation *generation)
{
    list_each(node, &listeners) {
        const char *title = list_entry(node, struct listener, node)->title;

        list_each(w, &generation->workers)
            worker_tell(list_entry(w, struct worker, node), MSG_REMOVED, 0, 0, -1, title);
    }
}

void master_stop(int64_t drain_ms, struct operation *operation)
{
    bool again = master.state == MASTER_STOPPING;

    say(LOG_STOPPING, drain_ms > 0 ? "%s, at most %lld ms" : "%s", again ? "faster" : "draining",
        (long long)drain_ms);
    master.state = MASTER_STOPPING;
    reload_cancel();
    if (!again && master.trial)
        generation_event(master.trial, EVENT_RETIRE, NULL);
    if (master.serving) {
        struct generation *serving = master.serving;

        listeners_shut_all();
        announce_end(serving);
        serving->operation = operation;
        serving->drain_ms = drain_ms;
        generation_event(serving, EVENT_RETIRE, NULL);
    }
    if (drain_ms > 0)
        list_each(node, &master.generations)
            generation_hasten(list_entry(node, struct generation, node), drain_ms);
    master_check_finished();
}

void master_drop_oldest(int limit)
{
    int draining = 0;

    for (struct list *node = master.generations.prev; node != &master.generations;
         node = node->prev) {
        struct generation *generation = list_entry(node, struct generation, node);

        if (generation->state != GENERATION_DRAINING || generation->check || ++draining <= limit)
            continue;
        say(LOG_TOO_MANY_GENERATIONS, "generation %u is cut: more than %d drain",
            generation->number, limit);
        generation_hasten(generation, 1);
    }
}

/* ---------------------------------------------------------------- workers ---------- */

struct operation *master_scale(int count)
{
    struct operation *operation = operation_new(VERB_SCALE);
    int before = master.serving->slot_count;

    operation_result(operation, CONTROL_DONE, "%d workers (were %d)", count, before);
    say(LOG_SCALED, "generation %u: %d workers (were %d)", master.serving->number, count, before);
    generation_scale(master.serving, count, operation);
    return operation;
}

static uint32_t recycling; /* the operation under way, 0: none */
static uint32_t recycled_generation;
static void recycle_next(void *arg);
static struct timer recycle_timer = {.fire = recycle_next};

void master_recycle_goes_on(void)
{
    timer_set(&recycle_timer, 0); /* not now: the caller is in the middle of an acknowledgement */
}

/* Starts the next replacement; called when the one before has been acknowledged. */
static void recycle_next(void *arg)
{
    struct operation *operation = operation_find(recycling);
    const struct generation *serving = master.serving;
    bool same = serving && serving->number == recycled_generation;

    (void)arg;
    if (!operation)
        return;
    while (same && operation->next_slot >= 0 && operation->next_slot < serving->slot_count) {
        int slot = operation->next_slot;

        operation->next_slot = operation->only_slot < 0 ? slot + 1 : -1;
        if (generation_recycle(master.serving, slot, operation))
            return;
    }
    recycling = 0;
    operation_ack(operation);
}

void master_recycle(struct operation *operation, int slot, bool all)
{
    if (operation_find(recycling) || master.trial) {
        operation_result(operation, CONTROL_REFUSED,
                         "workers are being replaced already; ask again when that has ended");
        operation_ack(operation);
        return;
    }
    recycling = operation->number;
    recycled_generation = master.serving->number;
    operation->next_slot = all ? 0 : slot;
    operation->only_slot = all ? -1 : slot;
    if (all)
        operation_result(operation, CONTROL_DONE, "all workers were replaced");
    else
        operation_result(operation, CONTROL_DONE, "worker %d was replaced", slot);
    recycle_next(NULL);
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
    if (!instance_lock(core->control, core->pid_file, error) || !logs_open_error(core, error))
        return false;
    if (spawn_open() < 0 || reactor_open() < 0 || board_create(&master.board) < 0 ||
        signals_open() < 0) {
        buf_printf(error, "the master cannot start: %s\n", strerror(errno));
        return false;
    }
    return control_open(core->control, core->control_group, error) &&
           instance_write_pid(core->pid_file, error);
}

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
                say(LOG_BUILTIN_CONFIG, "no configuration file: serving %s on %s",
                    snapshot->folder, core.listens[0].title);
            say(LOG_SIZING, "%s", core.sizing);
        }
        core_free(&core);
    }
    conf_free(&conf);
    snapshot_free(&snapshot);
    return ok && reload_first();
}

int master_main(const struct options *options)
{
    struct buf error = {0};

    master.options = options;
    master.exit_status = 0;
    list_init(&master.generations);
    log_thread_name("master");
    clock_refresh();
    master.started = clock_fresh_ms();
    raise_limits();
    if (!start(&error)) {
        fputs(buf_text(&error), stderr);
        buf_free(&error);
        control_close();
        instance_release();
        return 1;
    }
    while (!master.finished)
        reactor_turn();
    listeners_close_all();
    say(LOG_STOPPED, "status %d", master.exit_status);
    control_close();
    instance_release();
    board_close(&master.board);
    free(master.last_error);
    master_report_start(master.exit_status);
    return master.exit_status;
}
