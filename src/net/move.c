/* Moving idle connections of a loop that drains to workers that serve, through the passage of their
 * listener, and taking those that others have given.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: a connection is given only while it
 * is idle, nothing is left to send and some other worker watches the passage; from then on only the
 * other side owns it. What cannot be given is tried again until drain_linger is over, and then ended
 * in the protocol's way: told by a last answer, or closed. */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/loop-private.h"
#include "share/passage.h"

#define MOVES_A_TURN 64 /* so that those who are not idle are served as well */
#define RETRY 5         /* ms */

_Static_assert(PASSAGE_PARCEL == REEVE_PARCEL, "a parcel fits");

/* Could its connections be moved at all? */
static bool has_passage(const struct loop_listener *from)
{
    return from->listener->passage && !atomic_load(&from->listener->removed);
}

bool move_is_possible(const struct reeve_conn *conn)
{
    return has_passage(conn->from) && !conn->loop->moves.jammed && !conn->at_end &&
           board_others_serve(conn->loop->engine->board);
}

static bool may_give(const struct reeve_conn *conn)
{
    return has_passage(conn->from) && step_is_idle(conn) && !conn->at_end;
}

/* True: the connection has gone. False with EAGAIN: try again; with another error: not this one. */
static bool give(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    const struct passage *passage = conn->from->listener->passage;
    struct parcel parcel;
    int length = conn->protocol->pack(conn, parcel.bytes);
    if (length < 0 || length > REEVE_PARCEL) {
        errno = EBUSY;
        return false;
    }
    parcel.length = (size_t)length;
    if (!accept_others_watch(loop)) {
        errno = EAGAIN;
        return false;
    }
    if (passage_give(passage, conn->source.fd, &parcel) < 0)
        return false;
    loop->ops->drop(loop->wait, &conn->source, false); /* it is open elsewhere: close() does not */
    board_add(&loop->settings.record->moved_out, 1);
    loop->moves.jammed = false;
    conn->moved = true;
    conn_close(conn);
    return true;
}

/* It stays for now: tried again soon, and told when its time is over. */
static void put_off(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    conn->drained = false;
    if (!loop->moves.at)
        loop->moves.at = clock_now_ms() + RETRY;
    if (!loop->drain_at)
        loop->drain_at = clock_now_ms() + loop->engine->drain_linger;
}

void move_parked(struct reeve_conn *conn)
{
    if (conn->loop->phase == LOOP_DRAINING && may_give(conn) && !give(conn))
        put_off(conn);
}

void move_all(struct loop *loop)
{
    int moved = 0;
    if (!loop->moves.at || loop->moves.at > clock_now_ms() || loop->phase != LOOP_DRAINING)
        return;
    loop->moves.at = 0;
    list_each_safe(node, &loop->conns) {
        struct reeve_conn *conn = list_entry(node, struct reeve_conn, node);
        if (!may_give(conn))
            continue;
        if (give(conn)) {
            if (++moved < MOVES_A_TURN)
                continue;
            loop->moves.at = clock_now_ms();
            return;
        }
        if (errno == EAGAIN) {
            put_off(conn);
            return;
        }
    }
}

void move_time_is_over(struct loop *loop)
{
    loop->moves.jammed = loop->moves.at != 0;
}

/* ------------------------------------------------------------------- taking --- */

enum taken move_take(struct loop *loop, struct loop_listener *from)
{
    struct accepted accepted = {.listener = from->listener, .moved = true};
    socklen_t length = sizeof accepted.peer;
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
    if (getpeername(accepted.fd, (struct sockaddr *)&accepted.peer, &length) < 0)
        accepted.peer.ss_family = AF_UNSPEC; /* gone since: reading will tell */
    return take_accepted(loop, from, &accepted);
}
