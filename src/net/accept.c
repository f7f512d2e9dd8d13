/* When a loop watches the listeners and takes connections, and when it does not. What it takes in a
 * turn is in accept-burst.c, the last of it in accept-drain.c, and how one is taken in take.c.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: the listeners are watched
 * exactly in ACCEPT_POLLING. No arrival is forgotten: the kernel wakes one sleeping watcher for
 * each, so whoever was woken takes at least one connection before it may stop for fairness;
 * those that came while it was awake have woken others, or are seen by every watcher before it
 * sleeps. And a worker beyond its share stays away for long only while another one watches. */
#include "config.h"

#include <errno.h>

#include "base/clock.h"
#include "net/accept-private.h"

#define UNFAIR_MOST 16      /* ms: the looks are ever longer apart, up to this */
#define UNFAIR_LOOKS 64     /* after so many the board is no longer believed: about a second */

static bool is_resting(const struct loop *loop)
{
    return atomic_load_explicit(&loop->engine->resting, memory_order_relaxed);
}

/* It rests, and from all listeners. */
static bool rests_wholly(const struct loop *loop)
{
    if (!is_resting(loop))
        return false;
    for (size_t i = 0; i < loop->engine->listener_count; i++)
        if (atomic_load(&loop->engine->listeners[i].stays))
            return false;
    return true;
}

/* In turns: a loop with room for one connection takes it from the listener that is told first, and
 * a busy listener must not keep the others waiting for ever. Returns the one that could not be
 * watched, with errno. */
static const struct listener *watch(struct loop *loop)
{
    bool exclusive = loop->settings.connections > 1;
    size_t count = loop->engine->listener_count;
    for (size_t i = 0; i < count; i++) {
        struct loop_listener *from = &loop->listeners[(loop->accept.turn + i) % count];
        if (is_resting(loop) && !atomic_load(&from->listener->stays))
            continue;
        if (loop->ops->listen(loop->wait, &from->source, exclusive) < 0)
            return from->listener;
        if (from->listener->passage && move_takes(loop) &&
            loop->ops->listen(loop->wait, &from->passage, exclusive) < 0)
            return from->listener;
    }
    return NULL;
}

void accept_unwatch(struct loop *loop)
{
    for (size_t i = 0; i < loop->engine->listener_count; i++) {
        loop->ops->drop(loop->wait, &loop->listeners[i].source, false);
        loop->ops->drop(loop->wait, &loop->listeners[i].passage, false);
    }
}

/* The kernel is short of memory for it. */
static void cannot_watch(struct loop *loop, const struct listener *listener)
{
    int error = errno;
    accept_unwatch(loop); /* all or none */
    errno = error;
    accept_starve(loop, listener, ACCEPT_STARVED);
}

void accept_move(struct loop *loop, enum accept_state state, int64_t delay)
{
    struct loop_accept *accept = &loop->accept;
    _Atomic uint32_t *watching = &loop->engine->board->own_share->watching;
    if (accept->state == ACCEPT_POLLING && state != ACCEPT_POLLING) {
        accept_unwatch(loop);
        atomic_fetch_sub_explicit(watching, 1, memory_order_relaxed);
    }
    if (accept->state != ACCEPT_POLLING && state == ACCEPT_POLLING) {
        const struct listener *failed = watch(loop);
        if (failed) {
            cannot_watch(loop, failed);
            return;
        }
        atomic_fetch_add_explicit(watching, 1, memory_order_relaxed);
    }
    accept->state = state;
    accept->delay = delay;
    accept->look_at = delay ? clock_now_ms() + delay : 0;
    accept->conn_closed = false;
    atomic_store(&loop->wants_room,
                 state == ACCEPT_FULL || state == ACCEPT_STARVED || state == ACCEPT_EMPTYING);
    if (state == ACCEPT_FULL && loop_has_room(loop))
        loop_post(loop, LOOP_ROOM); /* one has ended just now, and has not seen the wish */
}

bool accept_is_gated(const struct loop *loop)
{
    return loop->settings.connections == 1;
}

bool accept_has_share(const struct loop *loop)
{
    return is_resting(loop) || board_has_share(loop->engine->board);
}

bool accept_others_watch(const struct loop *loop, bool takes)
{
    const struct board *board = loop->engine->board;
    for (unsigned i = 0; i < BOARD_SEGMENTS; i++) {
        bool serving = board_get(&board->head->serving[i / 32]) >> i % 32 & 1;
        if (serving && i != board->index && board_get(&board->shares[i].watching) &&
            (!takes || board_get(&board->shares[i].takes)))
            return true;
    }
    return false;
}

/* Until accept_serve(). */
static void rest(struct loop *loop)
{
    accept_move(loop, ACCEPT_OFF, 0);
    if (accept_is_gated(loop))
        gate_leave(loop);
}

/* Watches the listeners if nothing speaks against it. */
static void try_polling(struct loop *loop)
{
    if (rests_wholly(loop))
        rest(loop);
    else if (!loop_has_room(loop))
        accept_move(loop, ACCEPT_FULL, 0);
    else if (accept_is_gated(loop) && !gate_enter(loop))
        accept_move(loop, ACCEPT_QUEUED, 0);
    else if (!accept_has_share(loop))
        accept_move(loop, ACCEPT_UNFAIR, ACCEPT_UNFAIR_FIRST);
    else
        accept_move(loop, ACCEPT_POLLING, 0);
    loop->accept.looks = loop->accept.alone = 0;
}

/* Asked in each turn, and by time; only the latter may end in taking more than its share. */
static void look_unfair(struct loop *loop, bool time)
{
    struct loop_accept *accept = &loop->accept;
    accept->looks += time;
    if (accept_has_share(loop)) {
        try_polling(loop);
    } else if (time && (accept->looks > UNFAIR_LOOKS || !accept_others_watch(loop, false))) {
        /* Nobody else watches; or it says so on the board for so long that the board may lie: a
         * worker that was taken over can write there. */
        accept_move(loop, ACCEPT_POLLING, 0);
        accept->alone++;
    } else if (time) {
        accept_move(loop, ACCEPT_UNFAIR,
                    accept->delay * 2 < UNFAIR_MOST ? accept->delay * 2 : UNFAIR_MOST);
    }
}
/* The connection in hand first: who came before goes before. */
static void try_again(struct loop *loop)
{
    const struct listener *from = loop->in_hand.fd >= 0 ? loop->in_hand.listener : NULL;
    if (from && take_in_hand(loop) == TAKE_STARVED) {
        accept_starve(loop, from, ACCEPT_STARVED);
        return;
    }
    try_polling(loop);
    if (from && loop->accept.state == ACCEPT_FULL)
        accept_recovered(loop, from);
    accept_all(loop); /* the kernel says that descriptors are short though nobody waits: ask it again */
}

/* ------------------------------------------------------------------- entries --- */

void accept_serve(struct loop *loop)
{
    reserve_begin(loop->engine);
    if (loop->accept.state == ACCEPT_POLLING) /* not from all, perhaps */
        accept_move(loop, ACCEPT_OFF, 0);
    if (loop->accept.state == ACCEPT_OFF)
        try_polling(loop);
}

void accept_called(struct loop *loop)
{
    if (loop->accept.state == ACCEPT_POLLING)
        watch(loop); /* those that were deaf, too */
    accept_all(loop);
}

/* What it was woken for it takes: nobody else may have been. One that is full or short of something
 * rests when it could go on. */
void accept_rest(struct loop *loop)
{
    enum accept_state state;
    accept_all(loop);
    state = loop->accept.state;
    if (state != ACCEPT_POLLING && state != ACCEPT_QUEUED && state != ACCEPT_UNFAIR)
        return;
    rest(loop);
    if (!rests_wholly(loop))
        try_polling(loop);
}

void accept_drain(struct loop *loop)
{
    if (loop->accept.state == ACCEPT_EMPTYING || loop->accept.state == ACCEPT_DONE)
        return;
    accept_move(loop, ACCEPT_EMPTYING, 0);
    if (accept_is_gated(loop))
        gate_leave(loop);
    accept_empty(loop);
}

void accept_stop(struct loop *loop)
{
    if (loop->in_hand.fd >= 0)
        limit_drop(&loop->in_hand);
    accept_done(loop);
}

void accept_never(struct loop *loop)
{
    accept_move(loop, ACCEPT_DONE, 0);
}

void accept_look(struct loop *loop)
{
    struct loop_accept *accept = &loop->accept;
    bool time = accept->look_at && accept->look_at <= clock_now_ms();
    switch (accept->state) {
    case ACCEPT_OFF:
    case ACCEPT_POLLING:
    case ACCEPT_DONE:
        break;
    case ACCEPT_FULL:
        if (loop_has_room(loop))
            try_polling(loop);
        break;
    case ACCEPT_QUEUED:
        try_polling(loop);
        break;
    case ACCEPT_UNFAIR:
        look_unfair(loop, time);
        break;
    case ACCEPT_STARVED:
        if (time)
            accept_starve_longer(loop);
        if (time || accept->conn_closed)
            try_again(loop);
        break;
    case ACCEPT_EMPTYING:
        if (time)
            accept_starve_longer(loop);
        if (!accept->look_at || time || accept->conn_closed)
            accept_empty(loop);
        break;
    }
}
