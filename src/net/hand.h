/* What a thread has in hand when it dies. */
#ifndef NET_HAND_H
#define NET_HAND_H
#include "reeve/protocol.h"

/* Texts may lie anywhere, and lack their end. */
struct hand {
    const char *protocol, *peer, *label;
    size_t label_length;
    reeve_hand said; /* by the protocol */
};

/* Of the calling thread. Async-signal-safe, but it may fault where memory is corrupt. */
void hand_tell(struct hand *hand);
#endif
