/* What a thread has in hand; see hand.h.
 *
 * Any thread of a worker writes its own, by a few stores for each request; the handler of the
 * signal that kills it reads. Threads that a handler may hold for long show it on the board, too;
 * of others who watches them reads the place. Memory: whoever says it owns it, and takes it back
 * before that goes. */
#include "config.h"

#include "net/hand.h"

#include "net/loop-private.h"

static _Thread_local struct {
    void (*describe)(const void *arg, reeve_hand *hand);
    const void *arg;
    hand_place place;
} said;
static _Thread_local struct board_thread *shown; /* NULL: it does not show it */

hand_place *hand_show(struct board_thread *record)
{
    shown = record;
    return &said.place;
}

/* Not inlined: its frame would be that of all who only say it. */
static __attribute__((noinline)) void
show(void (*describe)(const void *arg, reeve_hand *hand), const void *arg)
{
    reeve_hand hand = {0};

    if (describe)
        describe(arg, &hand);
    board_place(shown, hand.module, hand.route);
}

void reeve_in_hand(void (*describe)(const void *arg, reeve_hand *hand), const void *arg)
{
    reeve_in_hand_at(describe, arg, NULL);
}

void reeve_in_hand_at(void (*describe)(const void *arg, reeve_hand *hand), const void *arg,
                      const reeve_place *place)
{
    said.describe = describe;
    said.arg = arg;
    atomic_store_explicit(&said.place, place, memory_order_relaxed);
    if (shown)
        show(describe, arg);
}

/* It stands on the board until the loop turns to another connection. NULL: it is not busy. */
static const char *label_of(const struct loop *loop, const struct reeve_conn *conn)
{
    if (conn->label)
        return conn->label->text;
    return conn->busy && loop->shown == conn ? loop->settings.record->label : NULL;
}

void hand_tell(struct hand *hand)
{
    const struct job *job = job_running();
    const struct loop *loop = loop_current();
    const struct reeve_conn *conn = job ? job->conn : loop ? loop->stepping : NULL;

    *hand = (struct hand){0};
    if (conn) {
        hand->peer = conn->peer;
        hand->protocol = job ? job->protocol : conn->from->listener->protocol_name;
        hand->label = job ? job->label : label_of(loop, conn);
        hand->label_length = hand->label ? BOARD_LABEL : 0;
    }
    if (said.describe) /* last: it is not our code */
        said.describe(said.arg, &hand->said);
}
