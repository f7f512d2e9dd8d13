/* Threads that run a loop and have been at one thing for longer than handler_timeout; see watch.h.
 *
 * Worker, main thread. Time is the watch's own, so that a process that is stopped
 * is not blamed. Whoever is late has its stack taken and its client let go, and is lost until it goes
 * on: as a pool's thread with a late job, whether it computes or sleeps. One that is alone with its
 * connection holds up nobody, and is left behind when the worker ends; one that has others is ended
 * at last by SIGABRT, unless it does not answer, since it waits for a disk perhaps. What must hold:
 * what has come on since it was looked at is not late. */
#include "config.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "share/words.h"
#include "worker/crew-private.h"
#include "worker/stacks.h"
#include "worker/watch-private.h"
#include "worker/watched.h"

#define ABORT_AFTER 3 /* times the limit */

/* What has become of its client. NULL: it has come on. */
static const char *let_go(struct watched *self)
{
    struct loop_cut cut = {.loop = self->loop, .progress = self->progress};

    switch (loop_let_go(self->loop, self->progress)) {
    case LOOP_GOES_ON:
        break;
    case LOOP_LETS_GO:
        return "its client was let go";
    case LOOP_HOLDS:
        return stacks_call(self->thread, loop_cut, &cut) && cut.done ? "its connection was cut"
                                                                     : "its client waits";
    }
    return NULL;
}

static void late(struct watched *self, int64_t now)
{
    struct words_record *stack = stacks_take(self->thread);
    const char *client = let_go(self);

    if (!client)
        return;
    self->lost_at = now;
    board_set(&self->record->lost_since, clock_fresh_ms());
    crew_wake_main(); /* a drain may have waited for it */
    watch_tell_late(stack, now - self->since, client,
                    self->alone || self->launched
                        ? "its thread is lost until it comes back"
                        : "the other connections of its loop wait until it comes back");
}

static void end_worker(struct watched *self, int64_t ran_ms)
{
    if (!stacks_take(self->thread))
        return;
    self->aborted = true;
    log_msg(LOG_HANDLER_LATE, "loop %d does not come back after %lld ms, and others wait for it; the "
            "worker is ended by SIGABRT", self->index, (long long)ran_ms);
    pthread_kill(self->thread, SIGABRT);
}

void watch_late(struct watched *self, int64_t now, int64_t limit)
{
    uint64_t progress;
    bool waits = loop_waits(self->loop, &progress);
    int64_t ran_ms = now - self->since;

    if (waits || self->since == 0 || progress != self->progress) {
        watched_goes_on(self);
        self->progress = progress;
        self->since = now;
    } else if (!self->lost_at && ran_ms >= limit) {
        late(self, now);
    } else if (self->lost_at && !self->alone && !self->launched && !self->aborted &&
               ran_ms >= ABORT_AFTER * limit) {
        end_worker(self, ran_ms);
    }
}
