/* A passage: the way by which connections of one listener go from a worker that retires to one that
 * serves. A SOCK_SEQPACKET pair of the master's, which every worker has both ends of: what is given
 * waits in the kernel, like a connection in a listener's backlog, until somebody takes it. It
 * belongs to a listener and its protocol; the master makes and shuts it and never looks inside. */
#ifndef SHARE_PASSAGE_H
#define SHARE_PASSAGE_H
#include <stdbool.h>
#include <stddef.h>

#define PASSAGE_PARCEL 64 /* as REEVE_PARCEL of reeve/protocol.h */

/* What is given with a connection besides the descriptor: the protocol's own words. */
struct parcel {
    size_t length;
    unsigned char bytes[PASSAGE_PARCEL];
};

struct passage {
    int take, give; /* -1: there is none */
};

/* Master. 0, or -1 with errno. */
int passage_open(struct passage *passage);
void passage_close(struct passage *passage);
/* Nothing more can be given; what has been can still be taken. For all who hold it. */
void passage_shut(const struct passage *passage);

/* A worker, any thread. */

/* 0: the connection is on its way, the caller closes its own descriptor. -1 with errno: EAGAIN, the
 * passage is full; EPIPE, it is shut. */
int passage_give(const struct passage *passage, int fd, const struct parcel *parcel);
enum passage_result {
    PASSAGE_TAKEN,
    PASSAGE_EMPTY,
    PASSAGE_JUNK,    /* no connection, or it has ended on its way; dropped */
    PASSAGE_STARVED, /* no descriptor is free: nothing was taken, see errno */
};
/* The descriptor is the caller's; it is a connected stream socket, non-blocking. */
enum passage_result passage_take(const struct passage *passage, int *fd, struct parcel *parcel);
bool passage_is_shut(const struct passage *passage);
/* Does anything stand in it? */
bool passage_is_busy(const struct passage *passage);
#endif
