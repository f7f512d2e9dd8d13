/* Workers as the master sees them; see workers.h.
 *
 * Master. A worker's object lives from its fork until it was reaped; worker_reaped() is the one
 * destructor. It is reached by pid (reaping), by its channel (messages) and by its generation. */
#include "config.h"

#include "master/state.h"
#include "master/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/logs.h"
#include "master/operation.h"
#include "master/spawn.h"
#include "share/snapshot.h"

#define KILL_GRACE 2000 /* ms after its deadline that a worker may take to end by itself */
#define ANSWER_LIMIT 10000 /* ms that a worker may take to acknowledge */

struct ack {
    struct list node; /* in the worker */
    struct operation *operation;
};

static const char *const state_names[] = {"started", "ready", "retiring"};
static bool segment_used[BOARD_SEGMENTS];

const char *worker_state_name(enum worker_state state)
{
    return state_names[state];
}

/* ---------------------------------------------------------------- talking ---------- */

void worker_kill(struct worker *worker)
{
    if (!worker->reaped) /* after that the pid may be another's */
        kill(worker->pid, SIGKILL);
}

void worker_tell(struct worker *worker, enum msg_type type, uint32_t op, int value, int fd,
                 const char *text)
{
    struct msg msg = {.type = type, .op = op, .value = value, .fd = fd, .text = text,
                      .length = text ? strlen(text) : 0};

    if (channel_send(worker->channel.fd, &msg) == 0 || errno == EPIPE || errno == ECONNRESET)
        return; /* gone: the reaper will say so */
    say(LOG_WORKER_STUCK, "worker %d (pid %d) does not read its channel (%s: %s); killed",
        worker->slot_index, (int)worker->pid, msg_name(type), strerror(errno));
    worker_kill(worker);
}

/* op 0: all of them, the worker is gone. */
static void worker_acked(struct worker *worker, uint32_t op)
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
    worker_acked(worker, 0);
}

void worker_serve(struct worker *worker, struct operation *operation)
{
    if (worker->serving || worker->state != WORKER_READY)
        return;
    worker->serving = true;
    board_set_serving(&master.board, worker->segment, true);
    if (operation)
        worker_await_ack(worker, operation);
    worker_tell(worker, MSG_SERVE, operation ? operation->number : 0, 0, -1, NULL);
}

void worker_retire(struct worker *worker, int64_t drain_ms, struct operation *operation)
{
    worker->state = WORKER_RETIRING;
    worker->expected = true;
    worker->slot = NULL;
    board_set_serving(&master.board, worker->segment, false);
    if (operation)
        worker_await_ack(worker, operation);
    worker_tell(worker, MSG_DRAIN, operation ? operation->number : 0, (int)drain_ms, -1, NULL);
    if (drain_ms > 0)
        timer_set(&worker->deadline, drain_ms + KILL_GRACE);
    else
        timer_cancel(&worker->deadline);
}

void worker_leaves(struct worker *worker)
{
    worker->state = WORKER_RETIRING;
    worker->expected = true;
    board_set_serving(&master.board, worker->segment, false);
    timer_set(&worker->deadline, worker->generation->core.drain_timeout + KILL_GRACE);
}

static void on_deadline(void *arg)
{
    struct worker *worker = arg;

    say(worker->state == WORKER_STARTED ? LOG_WORKER_LATE : LOG_WORKER_STUCK,
        "worker %d of generation %u (pid %d) is %s past its deadline; killed", worker->slot_index,
        worker->generation->number, (int)worker->pid, worker_state_name(worker->state));
    worker_kill(worker);
}

/* ---------------------------------------------------------------- listening -------- */

static void on_ready(struct worker *worker, const struct msg *msg)
{
    struct generation *generation = worker->generation;

    worker->loaded = true;
    if (worker->state != WORKER_STARTED)
        return; /* told to drain meanwhile */
    timer_cancel(&worker->deadline);
    worker->state = WORKER_READY;
    worker->ready_at = clock_fresh_ms();
    if (!generation->modules)
        generation->modules = strdup(msg->text);
    if (!generation->check)
        say(LOG_WORKER_READY, "worker %d of generation %u (pid %d) is ready after %lld ms",
            worker->slot_index, generation->number, (int)worker->pid,
            (long long)(worker->ready_at - worker->started));
    generation_event(generation, EVENT_READY, worker);
}

static void on_failed(struct worker *worker, const struct msg *msg)
{
    worker->refused = true;
    free(worker->why);
    worker->why = strdup(msg->text); /* its exit, which follows, decides what is done */
}

static void on_message(struct worker *worker, struct msg *msg)
{
    switch (msg->type) {
    case MSG_READY:
        on_ready(worker, msg);
        return;
    case MSG_FAILED:
        if (worker->loaded)
            break; /* it has said that all is well */
        on_failed(worker, msg);
        return;
    case MSG_LOGFILE:
        if (worker->loaded || worker->state != WORKER_STARTED)
            break; /* only while loading, with the privileges the worker started with */
        logs_ask(worker, msg->text);
        return;
    case MSG_LEAVING:
        if (worker->state == WORKER_READY)
            generation_worker_leaves(worker->generation, worker);
        return;
    case MSG_ACK:
        if (msg->op != 0)
            worker_acked(worker, msg->op);
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
    case MSG_LEVEL:
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
        sys_close(&msg.fd); /* workers send none that is wanted */
        return true;
    }
    if (got < 0 && errno == EBADMSG) {
        say(LOG_CHANNEL_BAD, "worker %d (pid %d) sent a malformed message; killed",
            worker->slot_index, (int)worker->pid);
        worker_kill(worker);
    }
    if (got == 0 || errno != EAGAIN) {
        reactor_unwatch(&worker->channel);
        worker_kill(worker); /* without a channel it is of no use; one that is ending does not mind */
    }
    return false;
}

static void on_channel(void *arg, uint32_t events)
{
    (void)events;
    read_one(arg);
}

/* ---------------------------------------------------------------- start ------------ */

static int segment_take(struct buf *error)
{
    for (int i = 0; i < BOARD_SEGMENTS; i++) {
        if (segment_used[i])
            continue;
        if (board_segment_clear(&master.board, (unsigned)i) < 0) {
            buf_printf(error, "the board cannot be cleared: %s", strerror(errno));
            return -1;
        }
        segment_used[i] = true;
        return i;
    }
    buf_printf(error, "%d workers exist already; wait until some have drained", BOARD_SEGMENTS);
    return -1;
}

static void hand_over(struct worker *worker)
{
    const struct generation *generation = worker->generation;
    bool check = generation->check;

    worker_tell(worker, MSG_LOG, 0, 0, logs_error_fd(), NULL);
    worker_tell(worker, MSG_BOARD, 0, (int)worker->segment, master.board.fd, NULL);
    worker_tell(worker, MSG_SNAPSHOT, 0, 0, generation->snapshot->fd, NULL);
    for (size_t i = 0; !check && i < generation->core.listen_count; i++) {
        const char *title = generation->core.listens[i].title;

        worker_tell(worker, MSG_LISTENER, 0, 0, listener_fd(title), title);
    }
    if (logs_level_is_set())
        worker_tell(worker, MSG_LEVEL, 0, (int)log_level(), -1, NULL);
    worker_tell(worker, MSG_START, generation->number, worker->slot_index, -1, NULL);
}

struct worker *worker_start(struct generation *generation, struct slot *slot, struct buf *error)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    int ours = -1, theirs = -1, segment = -1;

    if (!worker || channel_pair(&ours, &theirs) < 0 || (segment = segment_take(error)) < 0)
        goto failed;
    worker->pid = spawn_worker(theirs, generation->number, slot ? slot->index : CHANNEL_CHECK_SLOT);
    if (worker->pid < 0)
        goto failed;
    worker->generation = generation;
    worker->slot = slot;
    worker->slot_index = slot ? slot->index : CHANNEL_CHECK_SLOT;
    worker->restarts = slot ? slot->restarts : 0;
    worker->segment = (unsigned)segment;
    worker->started = clock_fresh_ms();
    worker->channel = (struct watch){.fd = ours, .ready = on_channel, .arg = worker};
    worker->deadline = (struct timer){.fire = on_deadline, .arg = worker};
    worker->answer = (struct timer){.fire = on_no_answer, .arg = worker};
    list_init(&worker->acks);
    list_append(&generation->workers, &worker->node);
    sys_close(&theirs);
    if (reactor_watch(&worker->channel, EPOLLIN) < 0)
        worker_kill(worker); /* nobody would hear it; its end is handled as that of any worker */
    timer_set(&worker->deadline, generation->core.ready_timeout);
    if (!generation->check)
        say(LOG_WORKER_STARTED, "worker %d of generation %u has pid %d", worker->slot_index,
            generation->number, (int)worker->pid);
    hand_over(worker);
    return worker;
failed:
    if (error->length == 0)
        buf_printf(error, "a worker cannot be started: %s", strerror(errno));
    if (segment >= 0)
        segment_used[segment] = false;
    sys_close(&ours);
    sys_close(&theirs);
    free(worker);
    return NULL;
}

/* ---------------------------------------------------------------- end -------------- */

static struct worker *worker_by_pid(pid_t pid)
{
    list_each(g, &master.generations) {
        struct generation *generation = list_entry(g, struct generation, node);

        list_each(w, &generation->workers) {
            struct worker *worker = list_entry(w, struct worker, node);

            if (worker->pid == pid)
                return worker;
        }
    }
    return NULL;
}

void worker_put_end(const struct worker *worker, struct buf *out)
{
    if (WIFSIGNALED(worker->status))
        buf_printf(out, "was killed by signal %d (%s)%s", WTERMSIG(worker->status),
                   strsignal(WTERMSIG(worker->status)),
                   WCOREDUMP(worker->status) ? ", core dumped" : "");
    else if (WEXITSTATUS(worker->status) == WORKER_BAD_CONF)
        buf_adds(out, "refused its configuration or a module");
    else if (WEXITSTATUS(worker->status) == WORKER_SICK)
        buf_adds(out, "was short of a resource");
    else
        buf_printf(out, "exited with status %d", WEXITSTATUS(worker->status));
}

void worker_count(struct worker *worker)
{
    counters_read(&worker->counters, board_segment(&master.board, worker->segment));
}

static void worker_free(struct worker *worker)
{
    worker_count(worker);
    counters_retire(&master.retired, &worker->counters);
    segment_used[worker->segment] = false;
    board_set_serving(&master.board, worker->segment, false);
    board_segment_clear(&master.board, worker->segment);
    timer_cancel(&worker->deadline);
    timer_cancel(&worker->answer);
    reactor_unwatch(&worker->channel);
    sys_close(&worker->channel.fd);
    free(worker->why);
    free(worker);
}

bool worker_reaped(pid_t pid, int status)
{
    struct worker *worker = worker_by_pid(pid);
    struct generation *generation;

    if (!worker)
        return false;
    generation = worker->generation;
    worker->reaped = true;
    while (worker->channel.watched && read_one(worker))
        ; /* its last words may still stand in the channel */
    worker->status = status;
    worker->sick = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_SICK;
    if (worker->expected && !generation->check)
        say(LOG_WORKER_EXIT, "worker %d of generation %u (pid %d) has ended", worker->slot_index,
            generation->number, (int)pid);
    list_remove(&worker->node);
    generation_event(generation, EVENT_ENDED, worker);
    worker_acked(worker, 0);
    worker_free(worker);
    if (list_empty(&generation->workers))
        generation_event(generation, EVENT_EMPTY, NULL);
    return true;
}
