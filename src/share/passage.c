/* The passage; see passage.h. Master and workers; a connection is one packet.
 *
 * What comes out of a passage was put there by some worker, and a worker may have been taken over:
 * so all of it is checked, and none of it is believed but the descriptor, whose peer the kernel
 * tells. What must hold: a descriptor that was received is closed or given to the caller, and none
 * is lost for want of a free number. */
#include "config.h"

#include "share/passage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "base/sys.h"

#define PASSAGE_MAGIC 0x52565031u /* "RVP1" */

struct packet {
    uint32_t magic;
    unsigned char bytes[PASSAGE_PARCEL];
};
#define HEAD offsetof(struct packet, bytes)

/* Room for one descriptor, aligned for the kernel; rounded up it holds two. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int passage_open(struct passage *passage)
{
    int pair[2];

    *passage = (struct passage){-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    *passage = (struct passage){.take = pair[0], .give = pair[1]};
    return 0;
}

void passage_close(struct passage *passage)
{
    sys_close(&passage->take);
    sys_close(&passage->give);
}

void passage_shut(const struct passage *passage)
{
    if (passage->give >= 0)
        shutdown(passage->give, SHUT_WR);
}

int passage_give(const struct passage *passage, int fd, const struct parcel *parcel)
{
    struct packet packet = {.magic = PASSAGE_MAGIC};
    union control control = {0};
    struct iovec part = {&packet, HEAD + parcel->length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
    ssize_t n;

    if (parcel->length > PASSAGE_PARCEL) {
        errno = EMSGSIZE;
        return -1;
    }
    memcpy(packet.bytes, parcel->bytes, parcel->length);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
    do
        n = sendmsg(passage->give, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return 0;
    if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM) /* it will pass */
        errno = EAGAIN;
    return -1;
}

/* ---------------------------------------------------------------- taking ----------- */

/* The kernel drops a descriptor that it finds no number for: there must be one. Two, since other
 * threads take them too. */
static bool has_room(const struct passage *passage)
{
    int one = fcntl(passage->take, F_DUPFD_CLOEXEC, 0);
    int two = one < 0 ? -1 : fcntl(passage->take, F_DUPFD_CLOEXEC, 0);
    bool room = two >= 0;

    sys_close(&one);
    sys_close(&two);
    return room;
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

/* Somebody else's socket that lingers would hold up whoever closes it. */
static void drop(int fd)
{
    struct linger none = {0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(fd);
}

static bool is_connection(int fd)
{
    struct linger none = {0};
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);

    return option(fd, SO_TYPE) == SOCK_STREAM && option(fd, SO_ACCEPTCONN) == 0 &&
           getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
           sys_set_nonblock(fd, true) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)) == 0;
}

/* The one descriptor of the message in *fd, or -1. Returns how many there were; if more than one,
 * all are closed. */
static size_t received(struct msghdr *message, int *fd)
{
    size_t total = 0;

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
        size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int one;

            memcpy(&one, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            if (total++ == 0)
                *fd = one;
            else
                drop(one);
        }
    }
    if (total > 1) {
        drop(*fd);
        *fd = -1;
    }
    return total;
}

enum passage_result passage_take(const struct passage *passage, int *fd, struct parcel *parcel)
{
    struct packet packet;
    union control control = {0};
    struct iovec part = {&packet, sizeof(packet)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    if (!has_room(passage))
        return PASSAGE_STARVED;
    do
        n = recvmsg(passage->take, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    *fd = -1;
    if (n < 0 || (received(&message, fd) == 0 && n == 0))
        return PASSAGE_EMPTY; /* the end; or an empty packet, and what is behind it is told again */
    if (*fd >= 0 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && (size_t)n >= HEAD &&
        packet.magic == PASSAGE_MAGIC && is_connection(*fd)) {
        parcel->length = (size_t)n - HEAD;
        memcpy(parcel->bytes, packet.bytes, parcel->length);
        return PASSAGE_TAKEN;
    }
    if (*fd >= 0)
        drop(*fd);
    *fd = -1;
    return PASSAGE_JUNK;
}

bool passage_is_shut(const struct passage *passage)
{
    struct pollfd end = {.fd = passage->take, .events = POLLRDHUP};

    return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLHUP));
}

bool passage_is_busy(const struct passage *passage)
{
    int bytes = 0;

    return ioctl(passage->give, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}
