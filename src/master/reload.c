/* Reload; see reload.h. How one went is in reload-outcome.c. Master. At most one reload is under
 * way, with at most one generation on trial (master.trial), and at most one further is pending;
 * whatever is asked for meanwhile joins that.
 *
 * A configuration whose text is the same may depend on files that are not (reeve_conf_reads()). The
 * master cannot look at these itself: they may lie where stat() waits for another machine. Nor can
 * the workers that serve: they have given up the privilege to see them. So a worker is started that
 * only loads the configuration, as for `check`, and tells what it has read; that is compared with
 * what the first worker of the serving generation told. The names stay text to the master, bounded
 * by the length of a message, and no worker is heard that has had a client. */
#include "config.h"

#include "master/reload.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/logs.h"
#include "master/look.h"
#include "master/manager.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/reads.h"
#include "master/rollback.h"
#include "master/stamp.h"
#include "master/state.h"
#include "master/stop.h"
#include "share/snapshot.h"

#define ORPHANS_PATIENCE 2000 /* ms that the workers of a master that died may take to let go */
#define ORPHANS_AGAIN 20

static struct operation *pending;
static bool under_way; /* a reload, or the start, has begun and not ended */

static void on_pending(void *arg);
static struct timer pending_timer = {.fire = on_pending};

/* A reload has ended: the old workers have let go of what is no longer configured, and the next may
 * begin. Not before, or results would come out of order. */
void reload_ended(void)
{
    listeners_close_removed();
    under_way = false;
    manager_reload_ended();
    if (pending)
        timer_set(&pending_timer, 0);
}

static struct operation *reload_operation(void)
{
    struct operation *operation = operation_new(VERB_RELOAD);

    operation->ended = reload_ended;
    return operation;
}

/* A generation of what lies on disk now, with its listeners open. NULL with lines in `errors`. */
static struct generation *prepare(struct snapshot *snapshot, struct buf *errors, bool *in_use)
{
    struct generation *generation = generation_new(snapshot, errors);

    if (!generation)
        return NULL;
    if (logs_try(&generation->core, errors)) {
        if (listeners_open(&generation->core, errors, in_use)) {
            generation->number = ++master.last_generation;
            return generation;
        }
        logs_abandon();
    }
    generation_discard(generation);
    return NULL;
}

static void refuse(struct operation *operation, const struct buf *errors)
{
    operation_result(operation, CONTROL_ROLLED_BACK, "%s", buf_text(errors));
    master_set_error(buf_text(errors));
    operation_ack(operation);
}

static void leave_unchanged(struct operation *operation)
{
    say(LOG_RELOAD_UNCHANGED, "the configuration is that of generation %u", master.serving->number);
    operation_result(operation, CONTROL_DONE, "unchanged: generation %u serves on",
                     master.serving->number);
    operation->generation = master.serving->number;
    operation_ack(operation);
}

/* A new generation of this snapshot (taken over). `changed`: what is not as it was, the text being
 * the same, or NULL. */
static void try_new(struct operation *operation, struct snapshot *snapshot, const char *changed)
{
    struct buf errors = {0};
    bool in_use;

    if (changed)
        say(LOG_RELOAD_FILE, "%s has changed", changed);
    master.trial = prepare(snapshot, &errors, &in_use);
    if (master.trial) {
        buf_adds(&master.trial->changed, changed ? changed : "");
        master.trial->operation = operation;
        generation_event(master.trial, EVENT_START, NULL);
    } else {
        refuse(operation, &errors);
    }
    buf_free(&errors);
}

/* A worker has looked at the files. If it could not, a new generation will not work either, and
 * says why. */
static void looked(struct generation *look, bool works)
{
    struct operation *operation = look->operation;
    struct buf errors = {0}, name = {0};

    look->operation = NULL;
    if (master.state == MASTER_STOPPING) {
        operation_result(operation, CONTROL_REFUSED, "the server is stopping");
        operation_ack(operation);
    } else if (works && !reads_differ(master.serving->files, look->files, &name)) {
        leave_unchanged(operation);
    } else {
        struct snapshot *snapshot = look_snapshot(master.options->config, &errors);

        if (snapshot)
            try_new(operation, snapshot, works ? buf_text(&name) : NULL);
        else
            refuse(operation, &errors);
    }
    buf_free(&name);
    buf_free(&errors);
}

static void reload_start(struct operation *operation)
{
    const struct generation *serving = master.serving;
    struct buf errors = {0};
    struct snapshot *snapshot = look_snapshot(master.options->config, &errors);

    if (!snapshot) {
        refuse(operation, &errors);
    } else if (!serving || !snapshot_same(snapshot, serving->snapshot)) {
        try_new(operation, snapshot, NULL);
    } else if (stamp_modules(&serving->core) != serving->stamp) {
        try_new(operation, snapshot, "the file of a module");
    } else if (!serving->files) {
        snapshot_free(&snapshot);
        leave_unchanged(operation);
    } else if (!look_begin(snapshot, operation, looked, &errors)) {
        refuse(operation, &errors);
    }
    buf_free(&errors);
}

static void on_pending(void *arg)
{
    struct operation *operation = pending;

    (void)arg;
    pending = NULL;
    if (!operation)
        return;
    under_way = true;
    manager_reload_begins();
    if (master.state == MASTER_STOPPING) {
        operation_result(operation, CONTROL_REFUSED, "the server is stopping");
        operation_ack(operation);
    } else {
        reload_start(operation);
    }
}

struct operation *reload_request(int64_t probation)
{
    if (!pending) {
        pending = reload_operation();
        if (!under_way)
            timer_set(&pending_timer, 0); /* after the caller has joined it */
        else
            probation_say_wait();
    }
    if (pending->probation < probation)
        pending->probation = probation;
    return pending;
}

bool reload_is_under_way(void)
{
    return under_way || pending;
}

struct operation *reload_back(struct snapshot *snapshot, uint32_t number)
{
    struct operation *operation = operation_new(VERB_ROLLBACK);

    operation->ended = reload_ended;
    operation->back_to = number;
    operation->back_from = master.serving->number;
    operation_wait(operation); /* the caller's join comes first */
    under_way = true;
    try_new(operation, snapshot, NULL);
    return operation;
}

void reload_same(struct operation *operation)
{
    struct buf errors = {0};
    int fd = fcntl(master.serving->snapshot->fd, F_DUPFD_CLOEXEC, 0);
    struct snapshot *snapshot = snapshot_open(fd, &errors);

    under_way = true;
    if (!operation->ended)
        operation->ended = reload_ended;
    if (snapshot)
        try_new(operation, snapshot, NULL);
    else
        refuse(operation, &errors);
    buf_free(&errors);
}

/* ---------------------------------------------------------------- the first -------- */

static struct {
    struct timer again;
    int64_t until;
    int told;
} first;

static bool first_attempt(void);

static void on_again(void *arg)
{
    (void)arg;
    if (!first_attempt()) {
        master.exit_status = 1;
        stop_begin(1, NULL);
    }
}

/* True: it is on its way, or will be tried again. */
static bool first_attempt(void)
{
    struct buf errors = {0};
    bool in_use = false, again = false;
    struct snapshot *snapshot = look_snapshot(master.options->config, &errors);

    master.trial = snapshot ? prepare(snapshot, &errors, &in_use) : NULL;
    if (master.trial) {
        master.trial->operation = reload_operation();
        master.trial->operation->name = "start";
        under_way = true;
        generation_event(master.trial, EVENT_START, NULL);
    } else if (in_use && clock_fresh_ms() < first.until) {
        if (!first.told++)
            say(LOG_LISTEN_RETRY, "%.*s; tried again for %d ms",
                (int)strcspn(buf_text(&errors), "\n"), buf_text(&errors), ORPHANS_PATIENCE);
        again = true;
        timer_set(&first.again, ORPHANS_AGAIN);
    } else {
        master_complain(buf_text(&errors));
    }
    buf_free(&errors);
    return master.trial || again;
}

bool reload_first(void)
{
    first.again = (struct timer){.fire = on_again};
    first.until = clock_fresh_ms() + ORPHANS_PATIENCE;
    return first_attempt();
}
