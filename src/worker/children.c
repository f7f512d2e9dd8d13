/* A process for each connection; see children.h.
 *
 * Worker of the model forking, its only thread; close_inherited() in the new process. A child is
 * known by the number of its record on the board, from fork to waitpid. Each has a channel to
 * the worker, over which the master's words are passed on. What must hold: a child has no end of
 * another one's channel, or it would not see that the worker is gone; and while a child lives,
 * nobody but it writes its record. */
#include "config.h"

#include "worker/children-private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/text.h"
#include "share/channel.h"
#include "share/ending.h"

struct children *children_new(const struct children_settings *settings)
{
    size_t most = (size_t)settings->most;
    struct children *children = calloc(1, sizeof(*children) + (most + 1) * sizeof(struct child));

    if (!children)
        return NULL;
    children->settings = *settings;
    children->room = malloc(CHANNEL_TEXT_MAX + 1);
    children->spare = calloc(most, sizeof(*children->spare));
    children->first_fd = sys_highest_fd() + 1;
    if (!children->room || !children->spare || children->first_fd == 0)
        children_free(&children);
    return children;
}

void children_free(struct children **children)
{
    if (!*children)
        return;
    free((*children)->room);
    free((*children)->spare);
    free(*children);
    *children = NULL;
}

/* ---------------------------------------------------------------- begin ------------ */

/* All that the worker has opened since it began to serve, but these two: its ends of the
 * channels to the others, thousands perhaps. A few of them may have got lower numbers, that were
 * free. */
static void close_inherited(struct children *children, int keep, int also)
{
    unsigned next = (unsigned)children->first_fd;
    int low = keep < also ? keep : also, high = keep < also ? also : keep;

    for (int i = 0; i < 2; i++) {
        unsigned kept = (unsigned)(i == 0 ? low : high);

        if (kept > next)
            sys_close_range(next, kept - 1);
        next = kept >= next ? kept + 1 : next;
    }
    sys_close_range(next, ~0u);
    for (unsigned record = 1; record <= children->made; record++) {
        struct child *child = &children->child[record];

        if (child->pid && child->channel < children->first_fd)
            sys_close(&child->channel);
    }
}

static unsigned record_take(struct children *children, const char *protocol)
{
    struct board_segment *segment = children->settings.segment;
    unsigned record = children->spare_count > 0 ? children->spare[--children->spare_count]
                                                : ++children->made;

    if (record == children->made)
        board_set(&segment->threads, record + 1);
    snprintf(segment->thread[record].protocol, BOARD_PROTOCOL, "%s", protocol);
    segment->thread[record].label[0] = '\0';
    if (BOARD_TURN_WAITS(board_get(&segment->thread[record].turns))) /* whoever had it was killed */
        board_add(&segment->thread[record].turns, 1);
    board_set(&segment->thread[record].lost_since, 0);
    return record;
}

static void record_put(struct children *children, unsigned record)
{
    children->spare[children->spare_count++] = record;
}

int children_fork(struct children *children, struct loop *front, const struct accepted *accepted)
{
    struct accepted served = *accepted;
    int ours, theirs, error;
    unsigned record;
    pid_t pid;

    if (channel_pair(&ours, &theirs) < 0)
        return -1;
    record = record_take(children, accepted->listener->protocol_name);
    served.place.held = &children->settings.segment->thread[record].held;
    board_set(served.place.held, served.place.seat != NULL);
    pid = fork();
    if (pid == 0) {
        sys_close(&ours);
        log_forked();
        close_inherited(children, accepted->fd, theirs);
        children->settings.become(&served, record, theirs);
        _exit(WORKER_SICK);
    }
    error = errno;
    sys_close(&theirs);
    if (pid < 0) {
        sys_close(&ours);
        record_put(children, record);
        errno = error;
        return -1;
    }
    close(accepted->fd);
    children->child[record] = (struct child){
        .pid = pid, .channel = ours, .front = front, .place = served.place};
    children->count++;
    return 0;
}

/* ---------------------------------------------------------------- words ------------ */

bool children_listen(struct children *children, unsigned record, bool on)
{
    struct child *child = &children->child[record];
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = record};

    if (child->owed > 0 || child->stage == CHILD_ASKED) /* before, or still */
        return true;
    if (epoll_ctl(children->settings.orders_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, child->channel,
                  &event) == 0)
        return true;
    log_errno(LOG_SYSTEM, "cannot listen to process %d", (int)child->pid);
    return false;
}

/* If it cannot be listened to its answer is not waited for. */
static void expect_answer(struct children *children, unsigned record)
{
    struct child *child = &children->child[record];

    if (!children_listen(children, record, true))
        return;
    children->owing += child->owed == 0;
    child->owed++;
}

/* It owes nothing more. */
static void settle(struct children *children, unsigned record)
{
    struct child *child = &children->child[record];

    if (child->owed == 0)
        return;
    children->owing--;
    child->owed = 0;
    children_listen(children, record, false);
}

void children_tell(struct children *children, const struct msg *msg)
{
    for (unsigned record = 1; children && record <= children->made; record++) {
        struct child *child = &children->child[record];

        if (!child->pid)
            continue;
        if (channel_send(child->channel, msg) == 0) {
            child->deaf = false;
            if (msg->type == MSG_REOPENED)
                expect_answer(children, record);
        } else if (errno != EPIPE && errno != ECONNRESET && !child->deaf) {
            child->deaf = true;
            /* Blocked in a handler, perhaps. It goes on: its connection is worth more. */
            log_errno(LOG_CHANNEL_BAD, "%s cannot be sent to process %d", msg_name(msg->type),
                      (int)child->pid);
        }
    }
}

void children_hear(struct children *children, unsigned record)
{
    struct child *child = &children->child[record];
    struct msg msg;
    int got;

    if (child->owed == 0 && child->stage != CHILD_ASKED)
        return;
    got = channel_recv(child->channel, &msg, children->room, TO_MASTER);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got == 1 && msg.type == MSG_STACK)
        children_found(children, record, &msg);
    else if (got == 1 && child->owed > 1)
        child->owed--;
    else
        settle(children, record);
}

bool children_owe(const struct children *children)
{
    return children && children->owing > 0;
}

/* ---------------------------------------------------------------- end -------------- */

static void put_crash(struct buf *text, const struct children *children, unsigned record,
                      int status)
{
    const struct board_thread *seen = &children->settings.segment->thread[record];

    buf_printf(text, "process %d, which served one connection (",
               (int)children->child[record].pid);
    text_put_safe(text, seen->protocol, strnlen(seen->protocol, BOARD_PROTOCOL));
    if (seen->label[0]) {
        buf_adds(text, ", last ");
        text_put_safe(text, seen->label, strnlen(seen->label, BOARD_LABEL));
    }
    buf_adds(text, "), ");
    ending_put(text, status);
}

static void forget(struct children *children, unsigned record, int status)
{
    struct child *child = &children->child[record];
    struct board_thread *shown = &children->settings.segment->thread[record];
    bool crashed = status != 0 && !children->killed && child->stage != CHILD_ENDED;
    struct buf text = {0};
    pid_t pid = child->pid;

    if (crashed)
        put_crash(&text, children, record, status);
    settle(children, record);
    sys_close(&child->channel); /* and epoll forgets it */
    child->pid = 0;
    limit_leave(&child->place);
    board_set(&shown->connections, 0);
    board_set(&shown->busy_since, 0);
    board_set(&shown->pid, 0);
    board_set(&shown->state, BOARD_UNUSED);
    record_put(children, record);
    children->count--;
    loop_launched_ended(child->front);
    if (crashed) /* last: whoever hears of it finds it in the numbers too */
        children->settings.crashed(pid, buf_text(&text));
    buf_free(&text);
}

void children_reap(struct children *children)
{
    pid_t pid;
    int status;

    while (children && (pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (unsigned record = 1; record <= children->made; record++)
            if (children->child[record].pid == pid) {
                forget(children, record, status);
                break;
            }
}

int children_count(const struct children *children)
{
    return children ? children->count : 0;
}

void children_kill(struct children *children)
{
    if (!children || children->count == 0)
        return;
    log_msg(LOG_WORKER_STUCK, "%d processes of connections do not end; killed", children->count);
    children->killed = true;
    for (unsigned record = 1; record <= children->made; record++)
        if (children->child[record].pid)
            kill(children->child[record].pid, SIGKILL);
}
