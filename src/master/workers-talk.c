/* How master and worker speak to each other, as the master does it; see workers.h. What is said by
 * workers is in hearing.c.
 *
 * Master. Nothing here waits: a worker that does not read, or that cannot be understood, is killed,
 * and waitpid tells the rest. An acknowledgement that is awaited belongs to its worker. */
#include "config.h"

#include "master/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/sys.h"
#include "master/operation.h"
#include "master/state.h"

#define ANSWER_LIMIT 10000 /* ms that a worker may take to acknowledge */

static worker_hearer *hearer;

void workers_hear(worker_hearer *hear)
{
    hearer = hear;
}

void worker_kill(struct worker *worker)
{
    if (!worker->reaped) /* after that the pid may be another's */
        kill(worker->pid, SIGKILL);
}

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

void worker_acked(struct worker *worker, uint32_t op)
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
    worker_acked(worker, 0);
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

/* Reads what is there. False when nothing more can come. */
static bool read_one(struct worker *worker)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct msg msg;
    int got = channel_recv(worker->channel.fd, &msg, room, TO_MASTER);

    if (got == 1) {
        hearer(worker, &msg);
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
