/* Loops that make no progress; see watch.h.
 *
 * Worker, main thread. A loop hangs if it neither sleeps nor ends its turn while its thread uses CPU
 * time: that of the thread, so that a process that is stopped, traced, or gets no CPU is not blamed,
 * and a disk that is slow is no hang. First its stack is logged, then another worker is asked for, and
 * at last, if it holds up many connections, the worker is ended by SIGABRT, in that thread, so that the
 * report of the crash names it. */
#include "config.h"

#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "share/words.h"
#include "worker/stacks.h"
#include "worker/watch-private.h"
#include "worker/watched.h"

enum stage { LOOP_WELL, LOOP_WARNED, LOOP_TIRED, LOOP_ABORTED };

/* -1: its thread has ended. */
static int64_t cpu_ms(pthread_t thread)
{
    struct timespec used;
    clockid_t clock;

    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return -1;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void warn(const struct watched *self, int64_t used)
{
    struct words_record *stack = stacks_take(self->thread);
    struct buf text = {0};

    buf_printf(&text, "loop %d has used %lld ms of CPU time without ending its turn", self->index,
               (long long)used);
    if (stack) {
        buf_adds(&text, "; it has in hand: ");
        watch_put_request(&text, stack);
        buf_adds(&text, ": ");
        stacks_put(&text, stack);
        watch_tell_stack(used, stack);
    }
    log_msg(LOG_LOOP_STUCK, "%s", buf_text(&text));
    buf_free(&text);
}

static void ask(const struct watched *self, int64_t used)
{
    struct buf text = {0};

    buf_printf(&text, "its loop %d has used %lld ms of CPU time without ending its turn",
               self->index, (long long)used);
    watch_ask(buf_text(&text));
    buf_free(&text);
}

static void hangs(struct watched *self, int64_t used, int64_t limit)
{
    if (self->cpu.stage == LOOP_WELL && used >= limit) {
        self->cpu.stage = LOOP_WARNED;
        warn(self, used);
    }
    if (self->cpu.stage == LOOP_WARNED && used >= 2 * limit)
        self->cpu.stage = LOOP_TIRED;
    if (self->cpu.stage == LOOP_TIRED && !self->alone && used >= 3 * limit) {
        self->cpu.stage = LOOP_ABORTED;
        log_msg(LOG_LOOP_STUCK, "loop %d does not come back after %lld ms of CPU time; the worker is "
                "ended by SIGABRT", self->index, (long long)used);
        pthread_kill(self->thread, SIGABRT);
    }
    if (self->cpu.stage == LOOP_TIRED)
        ask(self, used);
}

void watch_loop(struct watched *self, int64_t limit)
{
    uint32_t turns;
    bool asleep = loop_is_asleep(self->loop, &turns);
    int64_t used = asleep ? -1 : cpu_ms(self->thread);

    if (used >= 0 && self->cpu.known && turns == self->cpu.turns) {
        hangs(self, used - self->cpu.used, limit);
        return;
    }
    self->cpu.turns = turns;
    self->cpu.used = used;
    self->cpu.known = used >= 0;
    self->cpu.stage = LOOP_WELL;
}
