/* Opening files below a folder; see below.h.
 *
 * openat2(2) with RESOLVE_BENEATH leaves the whole check to the kernel, races included. Where that
 * call is missing (Linux before 5.6, old sandboxes, valgrind), the path is walked one component at
 * a time and no link is followed at all: stricter, slower, and as safe.
 *
 * RESOLVE_CACHED takes names from the kernel's memory of names alone. That remembers missing ones
 * too, once somebody has looked for them, so that a sibling or an index file that is not there
 * costs no more than one that is. A file system that asks a server each time (some of a network)
 * gives EAGAIN each time: all its requests go through the pool. One that lies in memory keeps no
 * memory of missing names, and needs none: nothing there waits, so it is asked right away; only a
 * disk that is mounted somewhere below such a root may make the loop wait. Nothing is kept. */
#include "config.h"

#include "below.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RACE_TRIES 8 /* openat2 says EAGAIN when a rename races with it */

#ifndef RESOLVE_CACHED /* headers of before Linux 5.12 */
#define RESOLVE_CACHED 0x20
#endif

/* Closes one folder of the way and gives the next; errno is kept. */
static int step_to(int next, int from, int root)
{
    int saved = errno;
    if (from != root)
        close(from);
    errno = saved;
    return next;
}

static int walk_open(int root, const char *name, int flags)
{
    char part[NAME_MAX + 1];
    int at = root;
    while (at >= 0) {
        size_t length = strcspn(name, "/");
        const char *rest = name + length + strspn(name + length, "/");
        if (length > NAME_MAX || (length == 2 && memcmp(name, "..", 2) == 0)) {
            errno = length > NAME_MAX ? ENAMETOOLONG : EXDEV;
            return step_to(-1, at, root);
        }
        memcpy(part, name, length);
        part[length] = '\0';
        if (*rest == '\0') { /* a name that ends with "/" must be a folder */
            int last = name[length] == '/' ? O_DIRECTORY : 0;
            return step_to(openat(at, part, flags | last | O_NOFOLLOW), at, root);
        }
        at = step_to(openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), at, root);
        name = rest;
    }
    return -1;
}

static int open_once(int root, const char *name, unsigned flags, unsigned resolve)
{
    struct open_how how = {.flags = flags, .resolve = resolve};
    long fd;
    do
        fd = syscall(SYS_openat2, root, name, &how, sizeof how);
    while (fd < 0 && errno == EINTR);
    return (int)fd;
}

unsigned below_unwaiting(int root)
{
    struct statfs fs;
    if (fstatfs(root, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
        return 0;
    int fd = open_once(root, ".", O_PATH | O_CLOEXEC, RESOLVE_CACHED);
    if (fd < 0)
        return 0; /* EINVAL, or there is no openat2 at all */
    close(fd);
    return BELOW_CACHED;
}

int below_open(int root, const char *name, unsigned how, int flags)
{
    bool cached = (how & BELOW_CACHED) != 0;
    unsigned resolve = RESOLVE_NO_MAGICLINKS | ((how & BELOW_LINKS) != 0 ? 0 : RESOLVE_BENEATH) |
                       (cached ? RESOLVE_CACHED : 0);
    int fd, tries = 0;
    if (*name == '\0')
        name = ".";
    do
        fd = open_once(root, name, (unsigned)flags | O_CLOEXEC, resolve);
    while (fd < 0 && errno == EAGAIN && !cached && ++tries < RACE_TRIES);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* EPERM: a sandbox that does not know it */
        return walk_open(root, name, flags | O_CLOEXEC);
    return fd;
}
