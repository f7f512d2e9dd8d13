/* What a worker and its master say to each other; see orders.h.
 *
 * Worker process (or one forked for a connection), main thread. Memory: the text of a message lies
 * in orders->room until the next one. What must hold: each operation that the master counts on is
 * acknowledged once, when it is done. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "share/words.h"
#include "worker/children.h"
#include "worker/crew.h"
#include "worker/logfile.h"
#include "worker/orders-private.h"
#include "worker/quarantine.h"
#include "worker/stacks.h"

static void tell(struct orders *orders, struct msg *msg)
{
    msg->length = msg->text ? strlen(msg->text) : 0;
    if (msg->length > CHANNEL_TEXT_MAX)
        msg->length = CHANNEL_TEXT_MAX;
    if (!orders->master_gone && channel_send(orders->channel, msg) < 0)
        log_errno(LOG_CHANNEL_BAD, "%s cannot be sent to the master", msg_name(msg->type));
}

void orders_tell(struct orders *orders, enum msg_type type, uint32_t op, const char *text)
{
    tell(orders, &(struct msg){.type = type, .op = op, .fd = -1, .text = text});
}

void orders_crashed(struct orders *orders, int pid, const char *sentence)
{
    tell(orders, &(struct msg){.type = MSG_CRASHED, .value = pid, .fd = -1, .text = sentence});
}

void orders_tell_stack(struct orders *orders, uint32_t op, int64_t ran_ms,
                       const struct words_record *stack)
{
    struct msg msg = {.type = MSG_STACK, .op = op, .fd = -1, .text = (const char *)stack,
                      .value = ran_ms < INT32_MAX ? (int32_t)ran_ms : INT32_MAX,
                      .length = sizeof(*stack)};

    if (!orders->master_gone && channel_send(orders->channel, &msg) < 0)
        log_errno(LOG_CHANNEL_BAD, "a stack cannot be sent to the master");
}

/* An operation of number 0 is none: to the master such an answer would stand for all that it
 * awaits. */
static void acknowledge(struct orders *orders, uint32_t op)
{
    if (op != 0)
        orders_tell(orders, MSG_ACK, op, NULL);
}

void orders_log_to(struct orders *orders, int fd)
{
    if (fd >= 0 && orders->log_fd >= 0) {
        dup3(fd, orders->log_fd, O_CLOEXEC); /* in place: other threads may be writing */
        sys_close(&fd);
    } else {
        orders->log_fd = fd;
    }
    if (orders->log_fd >= 0)
        dup2(orders->log_fd, STDERR_FILENO);
}

void orders_set_level(int level)
{
    if (level >= REEVE_LOG_ERROR && level <= REEVE_LOG_DEBUG)
        log_set_level((enum reeve_level)level);
}

static void owe(struct orders *orders, struct owed *owed, uint32_t op)
{
    uint32_t *more = realloc(owed->ops, (owed->count + 1) * sizeof(*more));

    if (!more) {
        acknowledge(orders, op); /* a little early */
        return;
    }
    owed->ops = more;
    more[owed->count++] = op;
}

static void settle(struct orders *orders, struct owed *owed, bool can)
{
    for (size_t i = 0; can && i < owed->count; i++)
        acknowledge(orders, owed->ops[i]);
    if (can)
        owed->count = 0;
}

void orders_settle(struct orders *orders)
{
    settle(orders, &orders->drains, orders->quiet);
    settle(orders, &orders->reopens, !children_owe(orders->children));
}

/* Takes nothing new for a while, or goes on. A drain does not care which. */
static void rest(struct orders *orders, bool on)
{
    if (orders->resting != on)
        crew_command(orders->crew, on ? LOOP_REST : LOOP_SERVE);
    orders->resting = on;
}

static void go_on(struct orders *orders)
{
    crew_see_off(orders->crew, false);
    crew_listener_stays(orders->crew, "*", false);
    rest(orders, false);
}

/* ---------------------------------------------------------------- what is heard ---- */

static void on_serve(struct orders *orders, struct msg *msg)
{
    if (orders->state == WAITING)
        orders_move(orders, SERVING);
    else if (orders->state == SERVING)
        go_on(orders);
    acknowledge(orders, msg->op);
}

static void on_removed(struct orders *orders, struct msg *msg)
{
    crew_listener_removed(orders->crew, msg->text);
}

static void on_drain(struct orders *orders, struct msg *msg)
{
    orders_drain(orders, msg->value);
    owe(orders, &orders->drains, msg->op);
    orders_settle(orders);
}

static void on_log(struct orders *orders, struct msg *msg)
{
    orders_log_to(orders, msg->fd);
}

static void on_logfile(struct orders *orders, struct msg *msg)
{
    (void)orders;
    logfile_reopened(msg->text, msg->fd);
}

static void on_reopened(struct orders *orders, struct msg *msg)
{
    owe(orders, &orders->reopens, msg->op);
    orders_settle(orders);
}

static void on_look(struct orders *orders, struct msg *msg)
{
    (void)msg;
    if (orders->state == SERVING)
        crew_command(orders->crew, LOOP_LOOK);
}

static void on_quarantine(struct orders *orders, struct msg *msg)
{
    (void)orders;
    quarantine_heed(msg->text, msg->value);
}

static void on_stacks(struct orders *orders, struct msg *msg)
{
    stacks_tell(orders, msg->op);
    acknowledge(orders, msg->op);
}

static void on_rest(struct orders *orders, struct msg *msg)
{
    if (orders->state != SERVING)
        return;
    crew_see_off(orders->crew, msg->value == 1);
    rest(orders, true);
}

static void on_stay(struct orders *orders, struct msg *msg)
{
    crew_listener_stays(orders->crew, msg->text, true);
}

static void on_level(struct orders *orders, struct msg *msg)
{
    (void)orders;
    orders_set_level(msg->value);
}

/* What is heard once all has been handed over. A descriptor that comes along is its function's. */
static const struct hearing {
    void (*on)(struct orders *orders, struct msg *msg);
    bool pass_on; /* to the processes of connections, first */
} hearings[MSG_TYPES] = {
    [MSG_SERVE] = {on_serve, false},
    [MSG_REMOVED] = {on_removed, false},
    [MSG_DRAIN] = {on_drain, false},
    [MSG_LOG] = {on_log, true},
    [MSG_LOGFILE] = {on_logfile, true},
    [MSG_REOPENED] = {on_reopened, true},
    [MSG_LOOK] = {on_look, false},
    [MSG_QUARANTINE] = {on_quarantine, true},
    [MSG_STACKS] = {on_stacks, false},
    [MSG_REST] = {on_rest, false},
    [MSG_STAY] = {on_stay, false},
    [MSG_LEVEL] = {on_level, true},
};

static void on_message(struct orders *orders, struct msg *msg)
{
    const struct hearing *hearing = &hearings[msg->type];

    if (!hearing->on) {
        log_msg(LOG_CHANNEL_BAD, "%s is not expected now", msg_name(msg->type));
        sys_close(&msg->fd);
        return;
    }
    if (hearing->pass_on)
        children_tell(orders->children, msg);
    hearing->on(orders, msg);
}

void orders_hear(struct orders *orders)
{
    struct msg msg;
    int got = channel_recv(orders->channel, &msg, orders->room, TO_WORKER);

    if (got == 1)
        on_message(orders, &msg);
    else if (got == 0)
        orders_master_gone(orders);
    else if (errno != EAGAIN)
        log_errno(LOG_CHANNEL_BAD, "a message from the master was dropped");
}
