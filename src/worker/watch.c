/* The watch; see watch.h.
 *
 * Worker, main thread, by a timer of the orders. Time is counted by a clock of its own, which goes
 * on by two rounds at most from one round to the next: where the whole process stood (SIGSTOP, a
 * debugger, a paused machine) no job is blamed for that. Memory: one watch a process, for
 * its life. */
#include "config.h"

#include "worker/watch.h"

#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "conf/core.h"
#include "share/channel.h"
#include "share/words.h"
#include "worker/children.h"
#include "worker/crew-private.h"
#include "worker/logfile.h"
#include "worker/orders.h"
#include "worker/pool.h"
#include "worker/stacks.h"
#include "worker/threads.h"
#include "worker/watch-private.h"

#define ROUND_MOST 1000    /* ms */
#define ROUND_LEAST 10
#define ROUNDS 4           /* in the shorter of the limits */
#define PATIENCE_MOST 10000 /* ms that a lost thread may take to come back */
#define ASK_EVERY 5000     /* ms */

static struct {
    int timer_fd;
    int64_t handlers; /* ms that a job may take; 0: they are not watched */
    int64_t round;   /* ms */
    int64_t now;     /* its own clock */
    int64_t last;    /* CLOCK_MONOTONIC of the last round */
    int64_t asked;   /* by its own clock, when it asked to be replaced; 0: never */
    struct crew *crew;
} watch = {.timer_fd = -1};

void watch_begin(struct crew *crew)
{
    int64_t limit = crew->core->loop_timeout;
    struct itimerspec times;

    watch.handlers = crew->core->handler_timeout;
    if (watch.handlers > 0 && (limit == 0 || watch.handlers < limit))
        limit = watch.handlers;
    if (limit == 0)
        return;
    watch.crew = crew;
    watch.round = limit / ROUNDS > ROUND_MOST    ? ROUND_MOST
                  : limit / ROUNDS < ROUND_LEAST ? ROUND_LEAST
                                                 : limit / ROUNDS;
    watch.now = ROUND_MOST; /* 0 means never */
    watch.last = clock_fresh_ms();
    watch.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    times.it_interval.tv_sec = watch.round / 1000;
    times.it_interval.tv_nsec = watch.round % 1000 * 1000000;
    times.it_value = times.it_interval;
    if (watch.timer_fd < 0 || timerfd_settime(watch.timer_fd, 0, &times, NULL) < 0 ||
        !orders_watch(crew->orders, watch.timer_fd))
        log_errno(LOG_SYSTEM, "handlers cannot be watched");
}

void watch_forked(void)
{
    sys_close(&watch.timer_fd);
}

/* ---------------------------------------------------------------- what is late ------ */

void watch_put_request(struct buf *out, const struct words_record *stack)
{
    if (!stack->target[0] && !stack->label[0])
        buf_adds(out, "nothing that is known");
    else if (stack->target[0])
        buf_printf(out, "%s %.300s", stack->method, stack->target);
    else
        buf_printf(out, "%s", stack->label);
    if (stack->module[0])
        buf_printf(out, " (module %s, route %s of site %s)", stack->module, stack->route,
                   stack->site);
    if (stack->peer[0])
        buf_printf(out, " for client %s", stack->peer);
}

void watch_tell_stack(int64_t ran_ms, const struct words_record *stack)
{
    orders_tell_stack(watch.crew->orders, 0, ran_ms, stack);
}

void watch_tell_late(const struct words_record *stack, int64_t ran_ms, const char *client,
                     const char *thread)
{
    struct buf text = {0};

    if (stack) {
        watch_put_request(&text, stack);
        buf_printf(&text, " has run for %lld ms in thread %s; %s, %s: ", (long long)ran_ms,
                   stack->name, client, thread);
        stacks_put(&text, stack);
        watch_tell_stack(ran_ms, stack);
    } else {
        buf_printf(&text, "a request has been handled for %lld ms; %s, %s. Its thread does not say "
                   "where it is: it may wait for a disk", (long long)ran_ms, client, thread);
    }
    log_msg(LOG_HANDLER_LATE, "%s", buf_text(&text));
    buf_free(&text);
}

void watch_late_process(pid_t pid, const struct words_record *stack, int64_t ran_ms)
{
    char ended[64];

    snprintf(ended, sizeof(ended), "its process %d is ended", (int)pid);
    watch_tell_late(stack, ran_ms, "its connection is cut", ended);
}

/* A job of the pool. */
static void on_late(struct words_record *stack, int64_t ran_ms)
{
    watch_tell_late(stack, ran_ms, "its client was let go",
                    "its thread is lost until it comes back");
}

void watch_ask(const char *why)
{
    if (watch.crew->orders->state != SERVING ||
        (watch.asked && watch.now - watch.asked < ASK_EVERY))
        return;
    watch.asked = watch.now;
    orders_tell(watch.crew->orders, MSG_TIRED, 0, why);
}

/* Threads that are lost, of whatever kind. */
struct losses {
    int lost;
    int64_t longest; /* ms that one has been lost for */
    bool helpless;   /* what is left is no help to those that wait */
};

static void add_loss(const struct watched *watched, struct losses *losses)
{
    int64_t lost_for = watch.now - watched->lost_at;

    if (!watched->lost_at)
        return;
    losses->lost++;
    losses->helpless = losses->helpless || !(watched->alone || watched->launched);
    if (lost_for > losses->longest)
        losses->longest = lost_for;
}

static void add_unit(struct watched *watched, void *arg)
{
    add_loss(watched, arg);
}

static struct losses count_losses(struct crew *crew)
{
    struct losses losses = {0};
    int most = crew->threads ? crew->core->max_each : crew->loop_count;

    for (int i = 0; i < crew->loop_count; i++)
        add_loss(&crew->loops[i].watched, &losses);
    if (crew->threads)
        threads_watch(crew->threads, add_unit, &losses);
    losses.helpless = losses.helpless || losses.lost >= most;
    if (crew->pool) {
        struct pool_losses pool = pool_losses(crew->pool, watch.now);

        losses.lost += pool.lost;
        losses.helpless = losses.helpless || pool.unreplaced > 0;
        losses.longest = pool.longest > losses.longest ? pool.longest : losses.longest;
    }
    return losses;
}

/* A thread that has been lost for long will not come back: another worker shall take over, in which
 * all of them work. */
static void ask_for_another(struct crew *crew)
{
    int64_t patience = watch.handlers < PATIENCE_MOST ? watch.handlers : PATIENCE_MOST;
    struct losses losses = count_losses(crew);
    struct buf text = {0};

    if (losses.lost == 0 || (!losses.helpless && losses.longest < patience))
        return;
    buf_printf(&text, "%d of its threads %s lost in handlers that do not return, one for %lld ms",
               losses.lost, losses.lost == 1 ? "is" : "are", (long long)losses.longest);
    watch_ask(buf_text(&text));
    buf_free(&text);
}

/* ---------------------------------------------------------------- rounds ------------ */

static void look_at_unit(struct watched *watched, void *arg)
{
    const int64_t *limit = arg;

    watch_late(watched, watch.now, *limit);
}

static void look_at_handlers(struct crew *crew)
{
    int64_t limit = watch.handlers;

    if (crew->children) { /* the loop is this thread */
        children_watch(crew->children, watch.now, limit);
        return;
    }
    if (crew->pool)
        pool_watch(crew->pool, watch.now, limit, on_late);
    for (int i = 0; i < crew->loop_count; i++)
        if (!atomic_load(&crew->loops[i].ended))
            watch_late(&crew->loops[i].watched, watch.now, limit);
    if (crew->threads)
        threads_watch(crew->threads, look_at_unit, &limit);
    ask_for_another(crew);
}

void watch_round(struct crew *crew)
{
    int64_t now = clock_fresh_ms(), passed = now - watch.last;
    uint64_t count;
    ssize_t n = read(watch.timer_fd, &count, sizeof(count));

    (void)n;
    watch.last = now;
    watch.now += passed < 2 * watch.round ? passed : 2 * watch.round;
    if (watch.handlers > 0)
        look_at_handlers(crew);
    for (int i = 0; crew->core->loop_timeout > 0 && !crew->children && i < crew->loop_count; i++)
        watch_loop(&crew->loops[i].watched, crew->core->loop_timeout);
    logfile_flush(); /* of clients that were let go here */
}

bool watch_has_lost(const struct crew *crew)
{
    for (int i = 0; i < crew->loop_count; i++)
        if (!atomic_load(&crew->loops[i].ended) || loop_has_left(crew->loops[i].watched.loop))
            return true;
    if (crew->threads && threads_have_left(crew->threads))
        return true;
    return crew->pool && pool_losses(crew->pool, 0).lost > 0;
}
