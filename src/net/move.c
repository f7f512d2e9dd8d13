/* Moving idle connections of a loop that drains to workers that serve, through the passage of their
 * listener, and taking those that others have given.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: a connection is given only while
 * it is idle, nothing is left to send and some other worker watches the passages; from then on it
 * is the other side's. What cannot be given is tried again: for half of drain_linger as if nothing
 * were; from then on answers say that they are the last, and it is closed as those that cannot
 * move. Nothing is left in a passage: who has given waits until it was taken, or takes it back. */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/loop-private.h"
#include "share/passage.h"

#define MOVES_A_TURN 64     /* so that those who are not idle are served as well */
#define RETRY 5             /* ms */
#define TAKE_BACK_AFTER 100 /* ms for which nobody takes what was given */

_Static_assert(PASSAGE_PARCEL == REEVE_PARCEL, "a parcel fits");

/* ------------------------------------------------------------------- giving --- */

static bool has_passage(const struct loop_listener *from)
{
    return from->listener->passage && !from->shut && !atomic_load(&from->listener->removed);
}

static bool is_stuck(const struct loop *loop)
{
    int64_t since = loop->moves.stuck_since;
    return since && clock_now_ms() - since >= loop->engine->drain_linger / 2;
}

bool move_is_possible(const struct reeve_conn *conn)
{
    return has_passage(conn->from) && !conn->stays && !conn->at_end && !is_stuck(conn->loop) &&
           board_others_take(conn->loop->engine->board);
}

static bool may_give(const struct reeve_conn *conn)
{
    return has_passage(conn->from) && step_is_idle(conn) && !conn->at_end;
}

enum given { GIVEN, LATER, NEVER };

static enum given give(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    struct parcel parcel;
    int length;
    if (!accept_others_watch(loop, true))
        return LATER;
    length = conn->protocol->pack(conn, parcel.bytes);
    if (length < 0 || length > REEVE_PARCEL)
        return NEVER;
    parcel.length = (size_t)length;
    if (passage_give(conn->from->listener->passage, conn->source.fd, &parcel) < 0) {
        conn->from->shut = errno == EPIPE;
        return errno == EAGAIN ? LATER : NEVER;
    }
    loop->ops->drop(loop->wait, &conn->source, false); /* it is open elsewhere: close() does not */
    if (!conn->passing)
        board_add(&loop->settings.record->moved_out, 1);
    conn->moved = true;
    conn_close(conn);
    return GIVEN;
}

/* Gives it, or notes what is to become of it. */
static enum given try_to_give(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    struct loop_moves *moves = &loop->moves;
    enum given given = give(conn);
    switch (given) {
    case GIVEN:
        moves->stuck_since = 0;
        moves->given = true;
        break;
    case LATER:
        if (!moves->stuck_since)
            moves->stuck_since = clock_now_ms();
        break;
    case NEVER:
        conn->stays = true;
        break;
    }
    if (given != NEVER && !moves->at)
        moves->at = clock_now_ms() + RETRY;
    if (given != GIVEN) {
        conn->drained = false; /* if it was told, that was while it was busy */
        farewell_begin(&loop->farewell, clock_now_ms(), loop->engine->drain_linger);
    }
    return given;
}

void move_begin(struct loop *loop)
{
    for (size_t i = 0; i < loop->engine->listener_count; i++) {
        const struct passage *passage = loop->engine->listeners[i].passage;
        loop->listeners[i].shut = passage && passage_is_shut(passage);
    }
    loop->moves.at = clock_now_ms();
}

void move_parked(struct reeve_conn *conn)
{
    if (conn->loop->phase != LOOP_DRAINING || !may_give(conn))
        return;
    conn->stays = false; /* it has come on since it was asked */
    try_to_give(conn);
}

/* Those that are idle, as many as a turn may take. */
static void give_idle(struct loop *loop)
{
    int moved = 0;
    list_each_safe(node, &loop->conns) {
        struct reeve_conn *conn = list_entry(node, struct reeve_conn, node);
        enum given given = NEVER;
        if (!conn->stays && may_give(conn))
            given = try_to_give(conn);
        moved += given == GIVEN;
        if (moved == MOVES_A_TURN)
            loop->moves.at = clock_now_ms();
        if (given == LATER || moved == MOVES_A_TURN)
            return;
    }
}

/* ------------------------------------------------------------------- taking --- */

/* Not where each connection holds a thread or a process: those that only wait would come first, and
 * leave nothing for who has something to ask. There a retirement is what ends them. */
bool move_takes(const struct loop *loop)
{
    return loop->settings.connections > 1 && !loop->engine->launch;
}

enum taken move_take(struct loop *loop, struct loop_listener *from)
{
    struct accepted accepted = {.listener = from->listener, .moved = true};
    socklen_t length = sizeof accepted.peer;
    if (!reserve_allows(loop, from->passage.fd))
        return TAKE_STARVED;
    switch (passage_take(from->listener->passage, &accepted.fd, &accepted.parcel)) {
    case PASSAGE_TAKEN:
        break;
    case PASSAGE_EMPTY:
        return TAKE_DRY;
    case PASSAGE_JUNK:
        return TAKE_SKIPPED;
    case PASSAGE_STARVED:
        return TAKE_STARVED;
    }
    reserve_note(loop, accepted.fd);
    if (getpeername(accepted.fd, (struct sockaddr *)&accepted.peer, &length) < 0)
        accepted.peer.ss_family = AF_UNSPEC; /* gone since: reading will tell */
    limit_admit(loop, &accepted);
    return take_accepted(loop, from, &accepted);
}

/* ------------------------------------------------------------------- looking after --- */

static bool is_pending(const struct loop *loop)
{
    for (size_t i = 0; i < loop->engine->listener_count; i++)
        if (loop->engine->listeners[i].passage &&
            passage_is_busy(loop->engine->listeners[i].passage))
            return true;
    return false;
}

static void take_back(struct loop *loop)
{
    for (size_t i = 0; i < loop->engine->listener_count; i++) {
        enum taken outcome = TAKE_DONE;
        if (!loop->engine->listeners[i].passage)
            continue;
        while (outcome != TAKE_DRY && outcome != TAKE_STARVED && loop_has_room(loop))
            outcome = move_take(loop, &loop->listeners[i]);
    }
}

/* Somebody must take what was given. */
static void look_after(struct loop *loop)
{
    struct loop_moves *moves = &loop->moves;
    int64_t now = clock_now_ms();
    moves->given = is_pending(loop);
    if (moves->given && !moves->at)
        moves->at = now + RETRY;
    if (!moves->given || accept_others_watch(loop, true)) {
        moves->alone_since = 0;
    } else if (!moves->alone_since) {
        moves->alone_since = now;
    } else if (now - moves->alone_since >= TAKE_BACK_AFTER) {
        take_back(loop);
    }
}

void move_look(struct loop *loop)
{
    struct loop_moves *moves = &loop->moves;
    if (!moves->at || moves->at > clock_now_ms() || loop->phase != LOOP_DRAINING)
        return;
    moves->at = 0;
    give_idle(loop);
    if (moves->given)
        look_after(loop);
}
