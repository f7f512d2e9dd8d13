/* The channel; see channel.h. Master and worker; a message is framed by the packet. */
#include "config.h"

#include "share/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/sys.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif
#define CHANNEL_MAGIC 0x52564331u /* "RVC1": changes with the meaning of any message */

struct head {
    uint32_t magic;
    uint32_t type;
    uint32_t op;
    int32_t value;
};

static const struct {
    const char *name;
    enum msg_direction direction;
} messages[MSG_TYPES] = {
#define X(symbol, direction, help) {#symbol, direction},
#include "share/messages.def"
#undef X
};

const char *msg_name(enum msg_type type)
{
    return (unsigned)type < MSG_TYPES ? messages[type].name : "?";
}

void channel_expect_fd(int fd, bool yes)
{
    int on = yes;

    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &on, sizeof(on));
}

int channel_pair(int *master_end, int *worker_end)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    channel_expect_fd(pair[0], false);
    if (sys_set_nonblock(pair[0], true) < 0) {
        sys_close(&pair[0]);
        sys_close(&pair[1]);
        return -1;
    }
    *master_end = pair[0];
    *worker_end = pair[1];
    return 0;
}

#define FDS_MOST 3

/* Room for descriptors, aligned for the kernel. */
union control {
    char bytes[CMSG_SPACE(FDS_MOST * sizeof(int))];
    struct cmsghdr align;
};

int channel_send(int fd, const struct msg *msg)
{
    struct head head = {CHANNEL_MAGIC, msg->type, msg->op, msg->value};
    struct iovec parts[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)msg->text, msg->length}};
    union control control = {0};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = msg->length > 0 ? 2 : 1};
    ssize_t n;

    if (msg->length > CHANNEL_TEXT_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    if (msg->fd >= 0) {
        int fds[FDS_MOST] = {msg->fd, msg->more[0], msg->more[1]};
        size_t size = (msg->has_more ? FDS_MOST : 1) * sizeof(int);
        struct cmsghdr *cmsg;

        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(size);
        cmsg = CMSG_FIRSTHDR(&packet);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(cmsg), fds, size);
    }
    do
        n = sendmsg(fd, &packet, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

void channel_close_stranger(int fd)
{
    struct linger none = {0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(fd);
}

/* Takes the descriptors out of the packet; those beyond FDS_MOST, for which the rounded room may
 * do, are closed. Returns how many there were. */
static size_t received_fds(struct msghdr *packet, int *got)
{
    size_t count = 0;

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(packet); cmsg; cmsg = CMSG_NXTHDR(packet, cmsg)) {
        size_t fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < fds; i++) {
            int one;

            memcpy(&one, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            if (count++ < FDS_MOST)
                got[count - 1] = one;
            else
                channel_close_stranger(one);
        }
    }
    return count;
}

static bool head_is_good(const struct head *head, enum msg_direction expected)
{
    return head->magic == CHANNEL_MAGIC && head->type < MSG_TYPES &&
           (messages[head->type].direction == BOTH_WAYS ||
            messages[head->type].direction == expected);
}

static size_t fds_allowed(enum msg_type type, enum msg_direction expected)
{
    if (expected == TO_MASTER)
        return type == MSG_SANDBOX;
    return type == MSG_LISTENER ? FDS_MOST : 1;
}

int channel_recv(int fd, struct msg *msg, char *room, enum msg_direction expected)
{
    struct head head;
    struct iovec parts[2] = {{&head, sizeof(head)}, {room, CHANNEL_TEXT_MAX}};
    union control control = {0};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    size_t count;
    int got[FDS_MOST] = {-1, -1, -1};

    do
        n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == ECONNRESET ? 0 : -1;
    if (n == 0)
        return 0;
    count = received_fds(&packet, got);
    if ((size_t)n < sizeof(head) || (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
        !head_is_good(&head, expected) || count > fds_allowed(head.type, expected) || count == 2) {
        for (size_t i = 0; i < FDS_MOST; i++)
            if (got[i] >= 0)
                channel_close_stranger(got[i]);
        errno = EBADMSG;
        return -1;
    }
    *msg = (struct msg){.type = (enum msg_type)head.type, .op = head.op, .value = head.value,
                        .fd = got[0], .has_more = count == FDS_MOST,
                        .more = {got[1], got[2]}, .length = (size_t)n - sizeof(head), .text = room};
    room[msg->length] = '\0';
    return 1;
}
