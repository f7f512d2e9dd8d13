/* Listening sockets that were handed to us, by socket activation or by the image before; see
 * socket.h. Master. They stay in a table of their own for the life of the process: an address that
 * was handed to us cannot be opened again. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"
#include "master/carry.h"
#include "master/socket.h"

#define INHERITED_MAX 64
#define INHERITED_FIRST 3 /* SD_LISTEN_FDS_START, sd_listen_fds(3) */

static struct inherited {
    int fd;
    char name[64];
} inherited[INHERITED_MAX];
static int inherited_count;

void socket_inherit(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    int64_t n, owner;

    if (pid && count && text_int(pid, &owner) && owner == getpid() && text_int(count, &n)) {
        for (int i = 0; i < n && i < INHERITED_MAX; i++) {
            int fd = fcntl(INHERITED_FIRST + i, F_DUPFD_CLOEXEC, 10);
            size_t length = names ? strcspn(names, ":") : 0;

            close(INHERITED_FIRST + i);
            if (fd < 0)
                continue;
            sys_set_nonblock(fd, true);
            inherited[inherited_count].fd = fd;
            snprintf(inherited[inherited_count].name, sizeof(inherited[0].name), "%.*s",
                     (int)length, names ? names : "");
            inherited_count++;
            if (names)
                names += length + (names[length] == ':');
        }
    }
    /* What else the parent left open is none of ours, nor of the workers'. */
    close_range(INHERITED_FIRST, 9, 0);
    close_range(10, ~0u, CLOSE_RANGE_CLOEXEC);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

int socket_inherited(const char *name, struct buf *why)
{
    int64_t index;

    for (int i = 0; i < inherited_count; i++)
        if (strcmp(inherited[i].name, name) == 0)
            return inherited[i].fd;
    if (text_int(name, &index) && index >= 0 && index < inherited_count)
        return inherited[index].fd;
    buf_printf(why, "no socket of that name or number was handed over (there are %d); start by "
                    "socket activation, or listen on an address", inherited_count);
    errno = ENOENT;
    return -1;
}

static const struct field inherited_fields[] = {
    FIELD(FD, struct inherited, fd),
    FIELDS_END,
};

json_t *socket_put(void)
{
    json_t *list = json_array();

    for (int i = 0; i < inherited_count; i++) {
        json_t *object = fields_put(inherited_fields, &inherited[i]);

        json_object_set_new(object, "name",
                            carry_bytes(inherited[i].name, strlen(inherited[i].name)));
        json_array_append_new(list, object);
    }
    return list;
}

bool socket_take(const json_t *state, struct buf *error)
{
    const json_t *list = json_object_get(state, "inherited");
    size_t count;

    if (!carry_list(state, "inherited", &count, error))
        return false;
    for (size_t i = 0; i < count && i < INHERITED_MAX; i++) {
        const json_t *object = json_array_get(list, i);
        struct inherited *one = &inherited[i];
        size_t length;
        char *name = carry_bytes_take(json_object_get(object, "name"), &length);

        one->fd = -1;
        snprintf(one->name, sizeof(one->name), "%s", name ? name : "");
        free(name);
        if (!fields_take(inherited_fields, object, one, "inherited socket", error))
            return false;
        inherited_count++;
    }
    return true;
}
