/* What a thread has in hand when it dies. */
#ifndef NET_HAND_H
#define NET_HAND_H
#include "reeve/protocol.h"
#include "share/board.h"

/* Texts may lie anywhere, and lack their end. */
struct hand {
    const char *protocol, *peer, *label;
    size_t label_length;
    reeve_hand said; /* by the protocol */
};

/* Where what a thread has in hand comes from; NULL: it does not say. Read by any thread. */
typedef const reeve_place *_Atomic hand_place;
/* From now on the calling thread shows on its record whose code it runs, as soon as that is said.
 * For threads that may be at it for long: it costs more than saying. NULL: no more. What
 * it returns is valid until the thread was joined. */
hand_place *hand_show(struct board_thread *record);
/* Of the calling thread. Async-signal-safe, but it may fault where memory is corrupt. */
void hand_tell(struct hand *hand);
#endif
