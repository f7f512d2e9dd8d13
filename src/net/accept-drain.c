/* The last that a loop takes: what nobody else will when it drains.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: it comes to an end, however many
 * connections arrive meanwhile; and of what this loop was woken for something is taken. */
#include "config.h"

#include "net/accept-private.h"

#define BACKLOG_MOST 65536 /* no backlog holds more: whoever drains must come to an end */

void accept_done(struct loop *loop)
{
    if (loop->accept.state == ACCEPT_DONE)
        return;
    accept_move(loop, ACCEPT_DONE, 0);
    if (accept_is_gated(loop))
        gate_leave(loop);
    atomic_store(&loop->stopped_accepting, true);
    if (loop->engine->loop_quiet)
        loop->engine->loop_quiet(loop);
}

/* Until nothing comes, or it cannot go on: TAKE_DONE if that is for want of room. */
static enum taken take_all(struct loop *loop, struct loop_listener *from, take_f *take)
{
    enum taken outcome = TAKE_DONE;
    for (; outcome != TAKE_DRY && from->emptied < BACKLOG_MOST; from->emptied++) {
        if (!loop_has_room(loop))
            return TAKE_DONE;
        outcome = take(loop, from);
        if (outcome == TAKE_STARVED)
            return outcome;
    }
    return TAKE_DRY;
}

/* What nobody else will take: of listeners that are no longer configured, and of passages that are
 * shut. Of another passage one is taken: this loop may have been woken for it. */
static enum taken empty_one(struct loop *loop, struct loop_listener *from)
{
    const struct passage *passage = from->listener->passage;
    enum taken outcome = TAKE_DRY;
    if (passage && move_takes(loop) && passage_is_shut(passage))
        outcome = take_all(loop, from, move_take);
    else if (passage && move_takes(loop) && loop_has_room(loop))
        move_take(loop, from);
    if (outcome == TAKE_DRY && atomic_load(&from->listener->removed))
        outcome = take_all(loop, from, take_one);
    return outcome;
}

void accept_empty(struct loop *loop)
{
    if (loop->in_hand.fd >= 0 && take_in_hand(loop) == TAKE_STARVED) {
        accept_starve(loop, loop->in_hand.listener, ACCEPT_EMPTYING);
        return;
    }
    for (size_t i = 0; i < loop->engine->listener_count; i++) {
        struct loop_listener *from = &loop->listeners[i];
        enum taken outcome = empty_one(loop, from);
        if (outcome == TAKE_STARVED) {
            accept_starve(loop, from->listener, ACCEPT_EMPTYING);
            return;
        }
        if (outcome != TAKE_DRY) {
            accept_move(loop, ACCEPT_EMPTYING, 0); /* room wakes it, no longer the time */
            return;
        }
    }
    accept_done(loop);
}
