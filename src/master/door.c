/* The control socket itself: made, guarded, and opened to clients; see door.h.
 *
 * Master. Who may connect is decided by the socket's mode and group, what they may do by the
 * kernel's word on who they are (SO_PEERCRED), taken when they connect. */
#include "config.h"

#include "master/door.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "master/carry.h"
#include "master/reactor.h"
#include "master/socket.h"

#define DOOR_REST 100 /* ms */
#define BACKLOG 64

static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static struct watch door = {.fd = -1};
static door_admit *admit;
static const struct field door_fields[] = {
    FIELD(FD, struct watch, fd),
    FIELDS_END,
};

/* A worker, or a process of one's: they cannot get rid of the mark, and a master does not have it
 * unless all that it starts have. One that has gone may have been one. */
static bool is_confined(pid_t pid)
{
    char path[40], status[4096];
    const char *mark;

    if (pid == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return false; /* it is of another namespace; or there is no telling */
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    mark = sys_read_small(path, status, sizeof(status)) ? strstr(status, "\nNoNewPrivs:") : NULL;
    return !mark || strtol(mark + strlen("\nNoNewPrivs:"), NULL, 10) != 0;
}

/* What the peer may do. Whoever is neither root nor the owner was let in by the socket's group. Where
 * the owner is an ordinary user, its workers have the same account: they may not. */
static enum control_access peer_access(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
        (peer.uid == 0 || (peer.uid == geteuid() && !is_confined(peer.pid))))
        return CHANGE;
    return READ;
}

static void on_rested(void *arg)
{
    (void)arg;
    reactor_watch(&door, EPOLLIN);
}

/* No descriptor or memory for a client: the one that waits would wake us again at once. */
static void door_rest(void)
{
    static struct timer rest = {.fire = on_rested};

    reactor_unwatch(&door);
    timer_set(&rest, DOOR_REST);
}

static void on_door(void *arg, uint32_t events)
{
    int fd = accept4(door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)arg;
    (void)events;
    if (fd >= 0)
        admit(fd, peer_access(fd));
    else if (errno != EAGAIN && errno != ECONNABORTED)
        door_rest();
}

/* The kernel lets in who may write to the socket's path: the owner, root, and the group. */
static bool set_group(const struct core *core, struct buf *error)
{
    const char *group = core->control_group;
    const struct group *entry = group[0] ? getgrnam(group) : NULL;
    struct buf why = {0};
    bool ok = true;

    if (group[0] && !entry) {
        conf_collect_errors(error);
        reeve_conf_error(conf_root(core->conf), "control_group",
                         "there is no group '%s'; create it or leave it out", group);
        return false;
    }
    if (entry)
        ok = socket_own(socket_path, 0660, (uid_t)-1, entry->gr_gid, &why);
    if (!ok)
        buf_printf(error, "control_group: %s: %s\n", socket_path, buf_text(&why));
    buf_free(&why);
    return ok;
}

/* Bound with nobody's rights but the owner's: set_group() adds to them. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
    mode_t mask = umask(0177);
    int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));

    umask(mask);
    return bound;
}

/* A socket at that path is nobody's: the lock beside it is ours. */
static bool remove_stale(const char *path, struct buf *error)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        buf_printf(error, "control: %s exists and is no socket; choose another path\n", path);
        return false;
    }
    unlink(path);
    return true;
}

bool door_open(const struct core *core, door_admit *let_in, struct buf *error)
{
    const char *path = core->control;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        buf_printf(error, "control: %s is too long for a socket; at most %zu bytes\n", path,
                   sizeof(address.sun_path) - 1);
        return false;
    }
    strcpy(address.sun_path, path);
    if (!remove_stale(path, error))
        return false;
    strcpy(socket_path, path);
    admit = let_in;
    door = (struct watch){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                          .ready = on_door};
    if (door.fd < 0 || bind_private(door.fd, &address) < 0 || listen(door.fd, BACKLOG) < 0 ||
        reactor_watch(&door, EPOLLIN) < 0) {
        buf_printf(error, "control: %s: %s; create the folder or choose another path\n", path,
                   strerror(errno));
        return false;
    }
    return set_group(core, error);
}

json_t *door_put(void)
{
    json_t *object = fields_put(door_fields, &door);

    json_object_set_new(object, "path", carry_bytes(socket_path, strlen(socket_path)));
    return object;
}

bool door_take(const json_t *object, door_admit *let_in, struct buf *error)
{
    size_t length;
    char *path = carry_bytes_take(json_object_get(object, "path"), &length);
    bool ok = path && length < sizeof(socket_path);

    if (ok)
        strcpy(socket_path, path);
    free(path);
    if (!fields_take(door_fields, object, &door, "control socket", error))
        return false;
    admit = let_in;
    door.ready = on_door;
    if (ok && door.fd >= 0 && reactor_watch(&door, EPOLLIN) == 0)
        return true;
    buf_printf(error, "the control socket of the state cannot be used: %s\n", strerror(errno));
    return false;
}

void door_close(void)
{
    reactor_unwatch(&door);
    sys_close(&door.fd);
    if (socket_path[0])
        unlink(socket_path);
}
