/* What a loop takes from its listeners in a turn, and how it goes on when it is short of a
 * descriptor, memory, thread or process.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: as in accept.c; and one line
 * of the log tells of a shortage, however often it is met, and one of its end. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/accept-private.h"

#define BURST 64            /* connections taken in a turn from one listener */
#define STARVED_FIRST 5     /* ms until it tries again without a descriptor or memory, twice as */
#define STARVED_MOST 100    /* long the next time, and so on, up to this */
#define BURST_ALONE 16      /* the most beyond the worker's share, when nobody else watches */
#define ALONE_STEP 8        /* so often it takes one, then so often two, ... */

void accept_taken(struct loop *loop)
{
    loop->accept.starved = 0;
    if (loop_has_room(loop) || loop->accept.state != ACCEPT_POLLING)
        return;
    accept_move(loop, ACCEPT_FULL, 0);
    if (accept_is_gated(loop))
        gate_leave(loop);
}

void accept_recovered(struct loop *loop, const struct listener *from)
{
    if (loop->accept.complained)
        log_msg(LOG_ACCEPT_RESUMED, "%s: connections are accepted again", from->address);
    loop->accept.complained = false;
    loop->accept.starved = 0;
}

/* What somebody can do about it, where that is known. */
static void put_remedy(const struct loop *loop, int error, char *text, size_t room)
{
    int kept = atomic_load(&loop->engine->reserve.kept);
    text[0] = '\0';
    if (error == EMFILE)
        snprintf(text, room, " (ulimit -n or LimitNOFILE= allows more; the last %d are kept for "
                 "what is being served)", kept);
}

/* Once until it is over, and not for each that comes and goes while it is on the brink. */
static bool may_complain(struct loop *loop)
{
    struct loop_accept *accept = &loop->accept;
    if (accept->complained || !log_is_due(&accept->complained_at, clock_now_ms()))
        return false;
    accept->complained = true;
    return true;
}

void accept_starve(struct loop *loop, const struct listener *from, enum accept_state state)
{
    int error = errno;
    bool launches = loop->engine->launch && loop->in_hand.fd >= 0;
    const char *what = launches ? "no thread or process for a connection: " : "";
    char remedy[128];
    put_remedy(loop, error, remedy, sizeof remedy);
    if (may_complain(loop))
        log_msg(LOG_ACCEPT_PAUSED, "%s: %s%s%s; %u connections are open here", from->address, what,
                strerror(error), remedy, loop->held + atomic_load(&loop->launched));
    if (!loop->accept.starved)
        loop->accept.starved = STARVED_FIRST;
    accept_move(loop, state, loop->accept.starved);
}

/* Not whenever one that it holds is closed: many may be in a moment. */
void accept_starve_longer(struct loop *loop)
{
    int64_t longer = loop->accept.starved * 2;
    loop->accept.starved = longer < STARVED_MOST ? longer : STARVED_MOST;
}

static bool may_go_on(const struct loop *loop, int taken)
{
    int most = 1 + (int)(loop->accept.alone / ALONE_STEP);
    if (accept_has_share(loop))
        return true;
    return loop->accept.alone > 0 && taken < (most < BURST_ALONE ? most : BURST_ALONE);
}

static void take_burst(struct loop *loop, struct loop_listener *from, take_f *take)
{
    enum taken outcome = TAKE_SKIPPED; /* if it no longer watches: nothing */
    bool fair = true;
    if (loop->accept.state != ACCEPT_POLLING) {
        accept_unwatch(loop); /* the kernel may have refused that before */
        return;
    }
    loop->accept.turn = (size_t)(from - loop->listeners) + 1;
    for (int i = 0; i < BURST && fair && loop->accept.state == ACCEPT_POLLING; i++) {
        outcome = take(loop, from);
        if (outcome == TAKE_DRY || outcome == TAKE_STARVED)
            break;
        fair = may_go_on(loop, i + 1);
    }
    if (outcome == TAKE_DRY || (outcome == TAKE_DONE && loop->accept.state == ACCEPT_FULL))
        accept_recovered(loop, from->listener);
    if (loop->accept.state != ACCEPT_POLLING)
        return;
    if (outcome == TAKE_STARVED)
        accept_starve(loop, from->listener, ACCEPT_STARVED);
    else if (!fair)
        accept_move(loop, ACCEPT_UNFAIR, ACCEPT_UNFAIR_FIRST);
}

void accept_event(struct loop *loop, struct loop_listener *from)
{
    take_burst(loop, from, take_one);
}

void accept_passage(struct loop *loop, struct loop_listener *from)
{
    take_burst(loop, from, move_take);
}

void accept_all(struct loop *loop)
{
    for (size_t i = 0; i < loop->engine->listener_count; i++) {
        struct loop_listener *from = &loop->listeners[i];
        if (loop->accept.state == ACCEPT_POLLING)
            accept_event(loop, from);
        if (loop->accept.state == ACCEPT_POLLING && from->listener->passage && move_takes(loop))
            accept_passage(loop, from);
    }
}
