/* Workers as the master sees them, from fork to waitpid; see workers.h. What is said over their
 * channels is in workers-talk.c and hearing.c.
 *
 * Master. A worker's object lives from its fork until it was reaped; worker_reaped() is the one
 * destructor. It is reached by pid (reaping), by its channel (messages) and by its generation. */
#include "config.h"

#include "master/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "master/crashes.h"
#include "master/carry.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/logs.h"
#include "master/oom.h"
#include "master/operation.h"
#include "master/quarantine.h"
#include "master/spawn.h"
#include "master/state.h"
#include "share/snapshot.h"

#define KILL_GRACE 2000 /* ms after its deadline that a worker may take to end by itself */

static const char *const state_names[] = {"started", "ready", "retiring"};
static bool segment_used[BOARD_SEGMENTS];

const char *worker_state_name(enum worker_state state)
{
    return state_names[state];
}

/* ---------------------------------------------------------------- orders ----------- */

void worker_ready(struct worker *worker)
{
    struct generation *generation = worker->generation;

    timer_cancel(&worker->deadline);
    worker->state = WORKER_READY;
    worker->ready_at = clock_fresh_ms();
    if (!generation->check)
        say(LOG_WORKER_READY, "worker %d of generation %u (pid %d) is ready after %lld ms",
            worker->slot_index, generation->number, (int)worker->pid,
            (long long)(worker->ready_at - worker->started));
    generation_event(generation, EVENT_READY, worker);
}

void worker_serve(struct worker *worker, struct operation *operation)
{
    if (worker->serving || worker->state != WORKER_READY)
        return;
    worker->serving = true;
    board_set_serving(&master.board, worker->segment, true);
    if (operation)
        worker_await_ack(worker, operation);
    quarantine_brief(worker);
    worker_tell(worker, MSG_SERVE, operation ? operation->number : 0, 0, -1, NULL);
}

void worker_rest(struct worker *worker, bool see_off)
{
    worker->resting_since = clock_fresh_ms();
    board_set_serving(&master.board, worker->segment, false);
    worker_tell(worker, MSG_REST, 0, see_off, -1, NULL);
}

void worker_wake(struct worker *worker)
{
    worker->resting_since = 0;
    board_set_serving(&master.board, worker->segment, true);
    worker_tell(worker, MSG_SERVE, 0, 0, -1, NULL);
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
    if (worker->generation->core.drain_timeout > 0)
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
    bool check = generation->check, on_trial = generation == master.trial;

    worker_tell(worker, MSG_LOG, 0, 0, logs_fd(on_trial), NULL);
    worker_tell(worker, MSG_BOARD, 0, (int)worker->segment, master.board.fd, NULL);
    worker_tell(worker, MSG_SNAPSHOT, 0, 0, generation->snapshot->fd, NULL);
    for (size_t i = 0; !check && i < generation->core.listen_count; i++) {
        const struct core_listen *listen = &generation->core.listens[i];

        listener_hand(listen->title, listen->protocol, worker);
    }
    if (logs_level_is_set() && !on_trial) /* a new configuration says its own */
        worker_tell(worker, MSG_LEVEL, 0, (int)log_level(), -1, NULL);
    worker_tell(worker, MSG_START, generation->number, worker->slot_index, -1, NULL);
}

/* Of 65536 parts, what recycling.c makes of worker_jitter. */
static uint16_t draw(pid_t pid)
{
    uint16_t number;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
        number = (uint16_t)(pid * 40503); /* early in the life of a machine */
    return number;
}

/* It has been forked: what is known of it from now on. */
static void enlist(struct worker *worker, struct generation *generation, struct slot *slot)
{
    worker->generation = generation;
    worker->slot = slot;
    worker->slot_index = slot ? slot->index : CHANNEL_CHECK_SLOT;
    worker->restarts = slot ? slot->restarts : 0;
    worker->speaks = MSG_TYPES;
    worker->draw = draw(worker->pid);
    worker->started = clock_fresh_ms();
    worker->deadline = (struct timer){.fire = on_deadline, .arg = worker};
    list_append(&generation->workers, &worker->node);
}

struct worker *worker_start(struct generation *generation, struct slot *slot, struct buf *error)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    int ours = -1, theirs = -1, segment = -1;

    if (!worker || channel_pair(&ours, &theirs) < 0 || (segment = segment_take(error)) < 0)
        goto failed;
    worker->board = board_segment_map(&master.board, (unsigned)segment);
    if (!worker->board)
        goto failed;
    worker->pid = spawn_worker(theirs, generation->number, slot ? slot->index : CHANNEL_CHECK_SLOT);
    if (worker->pid < 0)
        goto failed;
    worker->segment = (unsigned)segment;
    enlist(worker, generation, slot);
    sys_close(&theirs);
    if (!worker_connect(worker, ours))
        worker_kill(worker); /* nobody would hear it; its end is handled as that of any worker */
    refusals_expect(worker);
    timer_set(&worker->deadline, generation->core.ready_timeout);
    if (!generation->check)
        say(LOG_WORKER_STARTED, "worker %d of generation %u has pid %d", worker->slot_index,
            generation->number, (int)worker->pid);
    hand_over(worker);
    return worker;
failed:
    if (error->length == 0)
        buf_printf(error, "a worker cannot be started: %s", strerror(errno));
    if (worker)
        board_segment_unmap(worker->board);
    if (segment >= 0)
        segment_used[segment] = false;
    sys_close(&ours);
    sys_close(&theirs);
    free(worker);
    return NULL;
}

bool worker_adopt(struct worker *worker, struct generation *generation, bool readable,
                  struct buf *error)
{
    int channel = worker->channel.fd;

    if (worker->segment >= BOARD_SEGMENTS || segment_used[worker->segment]) {
        buf_printf(error, "a worker of the state has segment %u, which is not free\n",
                   worker->segment);
        return false;
    }
    segment_used[worker->segment] = true;
    worker->generation = generation;
    worker->deadline.fire = on_deadline;
    worker->deadline.arg = worker;
    carry_timer(&worker->deadline);
    refusals_adopt(worker);
    list_append(&generation->workers, &worker->node);
    if (readable)
        worker->board = board_segment_map(&master.board, worker->segment);
    if ((readable && !worker->board) || !worker_connect(worker, channel)) {
        buf_printf(error, "worker %d (pid %d) cannot be taken over: %s\n", worker->slot_index,
                   (int)worker->pid, strerror(errno));
        return false;
    }
    return true;
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

static void worker_free(struct worker *worker)
{
    worker_count(worker);
    counters_retire(&master.retired, &worker->counters);
    counters_retire(&worker->generation->retired, &worker->counters);
    board_segment_unmap(worker->board);
    segment_used[worker->segment] = false;
    board_set_serving(&master.board, worker->segment, false);
    board_segment_clear(&master.board, worker->segment);
    timer_cancel(&worker->deadline);
    timer_cancel(&worker->answer);
    refusals_end(worker);
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
    worker_hear_out(worker);
    worker->status = status;
    oom_explain(worker);
    worker->sick = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_SICK;
    crashes_take(worker, status);
    if (worker->expected && !generation->check)
        say(LOG_WORKER_EXIT, "worker %d of generation %u (pid %d) has ended", worker->slot_index,
            generation->number, (int)pid);
    list_remove(&worker->node);
    generation_event(generation, EVENT_ENDED, worker);
    worker_forget_acks(worker);
    worker_free(worker);
    if (list_empty(&generation->workers))
        generation_event(generation, EVENT_EMPTY, NULL);
    return true;
}
