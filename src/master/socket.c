/* Making listening sockets; see socket.h. Master. Those that were handed to us are in
 * socket-inherit.c. */
#include "config.h"

#include "master/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* A unix socket's path may be left from a process that died: nobody answers there. The same is said
 * of a file that is no socket at all, and that is not ours to remove. */
static void remove_stale(const struct address *address)
{
    const struct sockaddr_un *path = (const void *)&address->sockaddr;
    struct stat st;
    int fd;

    if (lstat(path->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address->sockaddr, address->length) < 0 &&
        errno == ECONNREFUSED)
        unlink(path->sun_path);
    sys_close(&fd);
}

static const char *advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another program listens there; stop it or choose another address";
    case EADDRNOTAVAIL:
        return "this machine has no such address";
    case EACCES:
        return "permission is missing: ports below the system's limit need root, a path needs a "
               "writable folder";
    case ENOENT:
        return "the folder does not exist; create it";
    case EAFNOSUPPORT:
        return "this kernel does not have that kind of address";
    default:
        return "check the address";
    }
}

static int bind_and_listen(int fd, const struct core_listen *listen_on)
{
    const struct address *address = &listen_on->address;
    int on = 1, off = 0, bound;
    mode_t mask;

    if (address->kind == ADDRESS_INET) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* inherited by connections */
        if (address->sockaddr.ss_family == AF_INET6) {
            const struct sockaddr_in6 *six = (const void *)&address->sockaddr;
            bool any = memcmp(&six->sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0;

            /* "*" and "[::]" mean both families, as reeve.conf(5) says */
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? &off : &on, sizeof(on));
        }
    } else {
        remove_stale(address);
    }
    mask = umask(0177); /* nobody else gets in before mode and owner are set */
    bound = bind(fd, (const struct sockaddr *)&address->sockaddr, address->length);
    umask(mask);
    return bound;
}

void socket_share(int fd, bool on)
{
    int value = on;

    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof(value));
}

int socket_open(const struct core_listen *listen_on, bool share, struct buf *why)
{
    const struct address *address = &listen_on->address;
    int fd;

    if (address->kind == ADDRESS_FD)
        return socket_inherited(address->name, why);
    fd = socket(address->sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && share)
        socket_share(fd, true);
    if (fd < 0 || bind_and_listen(fd, listen_on) < 0) {
        buf_printf(why, "%s; %s", strerror(errno), advice(errno));
        sys_close(&fd);
        return -1;
    }
    if (!socket_apply(fd, listen_on, why)) {
        socket_close(&fd, address);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* "user", "user:group", ":group" -> ids, -1 where nothing is said. */
static bool owner_ids(const char *owner, uid_t *uid, gid_t *gid, struct buf *why)
{
    char user[64];
    size_t length = strcspn(owner, ":");
    const struct passwd *account;
    const struct group *entry;

    *uid = (uid_t)-1;
    *gid = (gid_t)-1;
    snprintf(user, sizeof(user), "%.*s", (int)length, owner);
    if (user[0]) {
        account = getpwnam(user);
        if (!account) {
            buf_printf(why, "owner: there is no account '%s'; create it or name another", user);
            return false;
        }
        *uid = account->pw_uid;
    }
    if (owner[length] == ':' && owner[length + 1]) {
        entry = getgrnam(owner + length + 1);
        if (!entry) {
            buf_printf(why, "owner: there is no group '%s'; create it or name another",
                       owner + length + 1);
            return false;
        }
        *gid = entry->gr_gid;
    }
    return true;
}

/* What stands at the path may have been changed by whoever may write the folder: it is opened
 * without following a link and must be a socket. */
bool socket_own(const char *path, mode_t mode, uid_t uid, gid_t gid, struct buf *why)
{
    int at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    char self[32];
    bool ok;

    if (at < 0 || fstat(at, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        buf_printf(why, "%s is no longer a socket; somebody else has changed it", path);
        sys_close(&at);
        return false;
    }
    snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
    ok = chmod(self, mode) == 0 &&
         ((uid == (uid_t)-1 && gid == (gid_t)-1) || fchownat(at, "", uid, gid, AT_EMPTY_PATH) == 0);
    if (!ok)
        buf_printf(why, "mode or owner cannot be set: %s", strerror(errno));
    sys_close(&at);
    return ok;
}

bool socket_apply(int fd, const struct core_listen *listen_on, struct buf *why)
{
    const struct sockaddr_un *path = (const void *)&listen_on->address.sockaddr;
    uid_t uid;
    gid_t gid;

    if (listen(fd, listen_on->backlog) < 0) {
        buf_printf(why, "it cannot listen: %s; %s", strerror(errno), advice(errno));
        return false;
    }
    return listen_on->address.kind != ADDRESS_UNIX ||
           (owner_ids(listen_on->owner, &uid, &gid, why) &&
            socket_own(path->sun_path, listen_on->mode, uid, gid, why));
}

/* A TCP socket cannot be told to stop listening without losing its backlog, but it can be told to
 * drop packets: this filter drops those that ask for a connection (SYN without ACK) and passes the
 * rest, so a handshake under way is finished. Who asks now tries again a second later and is then
 * refused. A unix socket's path is simply taken away. */
void socket_shut(int fd, const struct address *address)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), /* the flags of the TCP header */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TCP_SYN | TCP_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    if (address->kind == ADDRESS_UNIX)
        unlink(((const struct sockaddr_un *)(const void *)&address->sockaddr)->sun_path);
    else if (address->kind == ADDRESS_INET)
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

void socket_close(int *fd, const struct address *address)
{
    if (address->kind == ADDRESS_UNIX)
        socket_shut(*fd, address);
    sys_close(fd);
}

bool socket_listens(int fd)
{
    int listens = 0;
    socklen_t length = sizeof(listens);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
}

int socket_waiting(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 || info.tcpi_state != TCP_LISTEN)
        return -1;
    return (int)info.tcpi_unacked; /* of a listening socket this is the length of its queue */
}

char *socket_describe(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof(bound);
    struct buf text = {0};
    char host[INET6_ADDRSTRLEN] = "?";

    getsockname(fd, (struct sockaddr *)&bound, &length);
    if (bound.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)&bound;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        buf_printf(&text, "%s:%d", host, ntohs(in->sin_port));
    } else if (bound.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)&bound;

        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
        buf_printf(&text, "[%s]:%d", host, ntohs(in->sin6_port));
    } else {
        buf_printf(&text, "unix:%s", ((const struct sockaddr_un *)(const void *)&bound)->sun_path);
    }
    return buf_take(&text);
}
