/* The channel between master and worker: a SOCK_SEQPACKET pair, one message a packet, at most three
 * descriptors with it, and only LISTENER has more than one. Both ends check type, direction and
 * length of what they receive. */
#ifndef SHARE_CHANNEL_H
#define SHARE_CHANNEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum msg_type {
#define X(symbol, direction, help) MSG_##symbol,
#include "share/messages.def"
#undef X
    MSG_TYPES
};
enum msg_direction { TO_WORKER, TO_MASTER, BOTH_WAYS };

#define CHANNEL_TEXT_MAX 32768
#define CHANNEL_WORKER_FD 3     /* where a worker finds its end, after exec */
#define CHANNEL_CHECK_SLOT (-1) /* START with this slot: load, report, exit without serving */

/* Exit codes of a worker process: what the master does about it. */
enum worker_exit {
    WORKER_DRAINED = 0,  /* finished as told */
    WORKER_SICK = 75,    /* a resource was short (EX_TEMPFAIL): start it again, slowly */
    WORKER_BAD_CONF = 78 /* configuration or module (EX_CONFIG): fail the generation */
};

struct msg {
    enum msg_type type;
    uint32_t op;     /* number of the operation it belongs to, 0: none */
    int32_t value;   /* meaning by type */
    int fd;          /* -1: none. Sending keeps it, receiving gives it to the caller. */
    bool has_more;   /* these two go with it */
    int more[2];
    size_t length;   /* of text */
    const char *text; /* NUL-terminated on receipt; points into the receiver's buffer */
};

const char *msg_name(enum msg_type type);

/* Makes the pair, both ends close-on-exec; the master's end non-blocking. 0 or -1 with errno. */
int channel_pair(int *master_end, int *worker_end);
/* At first no message to the master carries a descriptor, and where the kernel can refuse them it
 * does. From now on the next ones may, or may not again. */
void channel_expect_fd(int master_end, bool yes);
/* 0, or -1 with errno (EAGAIN: the other end does not read). Never blocks with MSG_DONTWAIT set. */
int channel_send(int fd, const struct msg *msg);
/* Closes a descriptor that nobody has asked for: a socket that lingers would hold up the caller. */
void channel_close_stranger(int fd);
/* Descriptors that a message must not carry, those to the master above all, are closed.
 * 1: a message (text in `room`, CHANNEL_TEXT_MAX + 1 bytes); 0: the other end is gone; -1: errno,
 * EBADMSG for a message that `expected` direction does not allow or that is malformed. */
int channel_recv(int fd, struct msg *msg, char *room, enum msg_direction expected);
#endif
