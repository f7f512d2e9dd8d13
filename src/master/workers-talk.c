/* What master and worker say to each other, as the master does it; see workers.h.
 *
 * Master. Nothing here waits: a worker that does not read, or that says what it must not say, is
 * killed, and waitpid tells the rest. An acknowledgement that is awaited belongs to its worker. */
#include "config.h"

#include "master/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/crashes.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/operation.h"
#include "master/probation.h"
#include "master/stacks.h"
#include "master/state.h"
#include "master/workforce.h"

#define ANSWER_LIMIT 10000 /* ms that a worker may take to acknowledge */

void worker_send(struct worker *worker, const struct msg *msg)
{
    if (msg->type >= worker->speaks)
        return; /* of a program before an upgrade */
    if (channel_send(worker->channel.fd, msg) == 0 || errno == EPIPE || errno == ECONNRESET)
        return; /* gone: the reaper will say so */
    say(LOG_WORKER_STUCK, "worker %d (pid %d) does not read its channel (%s: %s); killed",
        worker->slot_index, (int)worker->pid, msg_name(msg->type), strerror(errno));
    worker_kill(worker);
}

void worker_tell(struct worker *worker, enum msg_type type, uint32_t op, int value, int fd,
                 const char *text)
{
    struct msg msg = {.type = type, .op = op, .value = value, .fd = fd, .text = text,
                      .length = text ? strlen(text) : 0};

    worker_send(worker, &msg);
}

/* ---------------------------------------------------------------- acknowledgements -- */

struct ack {
    struct list node; /* in the worker */
    struct operation *operation;
};

/* op 0: all of them. */
static void take_ack(struct worker *worker, uint32_t op)
{
    list_each_safe(node, &worker->acks) {
        struct ack *ack = list_entry(node, struct ack, node);
        struct operation *operation = ack->operation;

        if (op != 0 && operation->number != op)
            continue;
        list_remove(&ack->node);
        free(ack);
        operation_ack(operation);
        if (op != 0)
            break; /* one acknowledgement a message */
    }
    if (list_empty(&worker->acks))
        timer_cancel(&worker->answer);
}

void worker_forget_acks(struct worker *worker)
{
    take_ack(worker, 0);
}

void worker_await_ack(struct worker *worker, struct operation *operation)
{
    struct ack *ack = calloc(1, sizeof(*ack));

    if (!ack)
        return; /* the operation is answered a little early */
    ack->operation = operation;
    list_append(&worker->acks, &ack->node);
    operation_wait(operation);
    if (!worker->answer.set)
        timer_set(&worker->answer, ANSWER_LIMIT);
}

/* Stopped by a debugger, perhaps: it is not killed for that, but nobody waits for it any longer. */
static void on_no_answer(void *arg)
{
    struct worker *worker = arg;

    list_each(node, &worker->acks)
        operation_result(list_entry(node, struct ack, node)->operation, CONTROL_TIMED_OUT,
                         "worker %d (pid %d) has not answered within %d s; the rest is done",
                         worker->slot_index, (int)worker->pid, ANSWER_LIMIT / 1000);
    worker_forget_acks(worker);
}

/* ---------------------------------------------------------------- listening -------- */

static void on_ready(struct worker *worker, const struct msg *msg)
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
static void on_files(const struct worker *worker, const struct msg *msg)
{
    struct generation *generation = worker->generation;

    if (generation->state == GENERATION_PROBING && !generation->files)
        generation->files = strdup(msg->text);
}

static void on_failed(struct worker *worker, const struct msg *msg)
{
    worker->refused = true;
    free(worker->why);
    worker->why = strdup(msg->text); /* its exit, which follows, decides what is done */
}

/* One of its processes; the worker itself is well. */
static void on_crashed(const struct worker *worker, const struct msg *msg)
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

static void on_message(struct worker *worker, struct msg *msg)
{
    switch (msg->type) {
    case MSG_FILES:
        if (worker->loaded)
            break;
        on_files(worker, msg);
        return;
    case MSG_READY:
        on_ready(worker, msg);
        return;
    case MSG_FAILED:
        if (worker->loaded)
            break; /* it has said that all is well */
        on_failed(worker, msg);
        return;
    case MSG_SANDBOX:
        if (worker->loaded)
            break; /* only while it is being loaded: it has served nobody yet */
        refusals_hear(worker, msg);
        return;
    case MSG_LOGFILE:
        if (worker->loaded)
            break; /* only while loading, with the privileges the worker started with */
        logs_ask(worker, msg->text);
        return;
    case MSG_CRASHED:
        if (worker->generation->core.model.each != EACH_PROCESS)
            break; /* it has none that could */
        on_crashed(worker, msg);
        return;
    case MSG_LEAVING:
        if (worker->state == WORKER_READY)
            generation_worker_leaves(worker->generation, worker);
        return;
    case MSG_STACK:
        stacks_hear(worker, msg);
        return;
    case MSG_TIRED:
        workforce_replace(worker, msg->text);
        return;
    case MSG_ACK:
        if (msg->op != 0)
            take_ack(worker, msg->op);
        return;
    case MSG_BOARD:
    case MSG_SNAPSHOT:
    case MSG_LOG:
    case MSG_LISTENER:
    case MSG_START:
    case MSG_SERVE:
    case MSG_REMOVED:
    case MSG_DRAIN:
    case MSG_REOPENED:
    case MSG_LOOK:
    case MSG_LEVEL:
    case MSG_STACKS:
    case MSG_QUARANTINE:
    case MSG_REST:
    case MSG_STAY:
    case MSG_TYPES:
        break;
    }
    say(LOG_CHANNEL_BAD, "worker %d (pid %d) sent %s, which is not expected; killed",
        worker->slot_index, (int)worker->pid, msg_name(msg->type));
    worker_kill(worker);
}

/* Reads what is there. False when nothing more can come. */
static bool read_one(struct worker *worker)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct msg msg;
    int got = channel_recv(worker->channel.fd, &msg, room, TO_MASTER);

    if (got == 1) {
        on_message(worker, &msg);
        if (msg.fd >= 0)
            channel_close_stranger(msg.fd);
        return true;
    }
    if (got < 0 && errno == EBADMSG) {
        say(LOG_CHANNEL_BAD, "worker %d (pid %d) sent a malformed message; killed",
            worker->slot_index, (int)worker->pid);
        worker_kill(worker);
    }
    if (got == 0 || errno != EAGAIN) {
        reactor_unwatch(&worker->channel);
        worker_kill(worker); /* of no use without a channel; one that is ending does not mind */
    }
    return false;
}

static void on_channel(void *arg, uint32_t events)
{
    (void)events;
    read_one(arg);
}

bool worker_connect(struct worker *worker, int channel)
{
    worker->channel = (struct watch){.fd = channel, .ready = on_channel, .arg = worker};
    worker->answer = (struct timer){.fire = on_no_answer, .arg = worker};
    list_init(&worker->acks);
    return reactor_watch(&worker->channel, EPOLLIN) == 0;
}

void worker_hear_out(struct worker *worker)
{
    while (worker->channel.watched && read_one(worker))
        ;
}
