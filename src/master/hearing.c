/* What workers say, and what follows from it; see hearing.h.
 *
 * Master. A worker may have been taken over by whoever it serves: from when it is loaded it may say
 * but little, and one that says what it must not say is killed. A message lives until its function
 * returns. */
#include "config.h"

#include "master/hearing.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "master/crashes.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/probation.h"
#include "master/stacks.h"
#include "master/state.h"
#include "master/workers.h"
#include "master/workforce.h"

static void on_ready(struct worker *worker, struct msg *msg)
{
    struct generation *generation = worker->generation;

    worker->loaded = true;
    if (worker->state != WORKER_STARTED)
        return; /* told to drain meanwhile */
    if (!generation->modules)
        generation->modules = strdup(msg->text);
    worker_ready(worker);
}

/* Of the first worker alone: it has served nobody yet, so nobody can have taught it to lie. */
static void on_files(struct worker *worker, struct msg *msg)
{
    struct generation *generation = worker->generation;

    if (generation->state == GENERATION_PROBING && !generation->files)
        generation->files = strdup(msg->text);
}

static void on_failed(struct worker *worker, struct msg *msg)
{
    worker->refused = true;
    free(worker->why);
    worker->why = strdup(msg->text); /* its exit, which follows, decides what is done */
}

static void on_logfile(struct worker *worker, struct msg *msg)
{
    logs_ask(worker, msg->text);
}

/* One of its processes; the worker itself is well. */
static void on_crashed(struct worker *worker, struct msg *msg)
{
    struct buf text = {0};

    buf_printf(&text, "worker %d of generation %u (pid %d): %s", worker->slot_index,
               worker->generation->number, (int)worker->pid, msg->text);
    say(LOG_CONNECTION_CRASHED, "%s", buf_text(&text));
    master_set_error(buf_text(&text));
    probation_crashed(worker->generation, buf_text(&text));
    buf_free(&text);
    crashes_take_process(worker, msg->value);
}

static void on_leaving(struct worker *worker, struct msg *msg)
{
    (void)msg;
    if (worker->state == WORKER_READY)
        generation_worker_leaves(worker->generation, worker);
}

static void on_stack(struct worker *worker, struct msg *msg)
{
    stacks_hear(worker, msg);
}

static void on_tired(struct worker *worker, struct msg *msg)
{
    workforce_replace(worker, msg->text);
}

static void on_ack(struct worker *worker, struct msg *msg)
{
    if (msg->op != 0)
        worker_acked(worker, msg->op);
}

enum when {
    ALWAYS,
    LOADING,   /* only until it is loaded: it has served nobody yet, and has its privileges */
    FOR_OTHERS /* of a process for a connection, where the model has such */
};

static const struct {
    void (*on)(struct worker *worker, struct msg *msg);
    enum when when;
} hearings[MSG_TYPES] = {
    [MSG_FILES] = {on_files, LOADING},
    [MSG_READY] = {on_ready, ALWAYS},
    [MSG_FAILED] = {on_failed, LOADING},
    [MSG_SANDBOX] = {refusals_hear, LOADING},
    [MSG_LOGFILE] = {on_logfile, LOADING},
    [MSG_CRASHED] = {on_crashed, FOR_OTHERS},
    [MSG_LEAVING] = {on_leaving, ALWAYS},
    [MSG_STACK] = {on_stack, ALWAYS},
    [MSG_TIRED] = {on_tired, ALWAYS},
    [MSG_ACK] = {on_ack, ALWAYS},
};

static bool is_expected(const struct worker *worker, enum msg_type type)
{
    if (!hearings[type].on)
        return false;
    switch (hearings[type].when) {
    case LOADING: return !worker->loaded;
    case FOR_OTHERS: return worker->generation->core.model.each == EACH_PROCESS;
    case ALWAYS: break;
    }
    return true;
}

void hearing(struct worker *worker, struct msg *msg)
{
    if (is_expected(worker, msg->type)) {
        hearings[msg->type].on(worker, msg);
        return;
    }
    say(LOG_CHANNEL_BAD, "worker %d (pid %d) sent %s, which is not expected; killed",
        worker->slot_index, (int)worker->pid, msg_name(msg->type));
    worker_kill(worker);
}
