/* cold.so: a disk that can be made to wait, for tests/scenario/cold.py.
 *
 * Preloaded into reeved and all it executes. It touches files named *.cold only. REEVE_COLD names a
 * folder: while `forced` lies in it, such files are said not to be in memory; while `gate` does, a
 * FIFO, each pread() of them waits until somebody has opened it for writing. While `last` does,
 * also a FIFO, a process that exits waits for it in the same way. What has happened is written
 * there too, a byte for each time: `asked`, `read`, `exits` and `exited`. Any thread may come here;
 * nothing is kept between two calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Opens what lies in the folder. -1: it does not. */
static int look(const char *name, int flags)
{
    const char *folder = getenv("REEVE_COLD");
    char path[PATH_MAX];

    if (!folder)
        return -1;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

static bool is_cold(int fd)
{
    char link[40], path[PATH_MAX];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path);
    return length > 5 && memcmp(path + length - 5, ".cold", 5) == 0;
}

static void note(const char *name)
{
    int fd = look(name, O_WRONLY | O_CREAT | O_APPEND);

    if (fd < 0)
        return;
    if (write(fd, "x", 1) < 0)
        perror("cold.so");
    close(fd);
}

static bool is_forced(void)
{
    int fd = look("forced", O_RDONLY);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* True: there was that FIFO, and now it has a writer. */
static bool wait_for(const char *name)
{
    int fd = look(name, O_RDONLY);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

__attribute__((destructor)) static void exits(void)
{
    note("exits");
    if (wait_for("last"))
        note("exited");
}

EXPORT ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    if (is_cold(fd)) {
        note("asked");
        if (is_forced() && flags & RWF_NOWAIT) {
            errno = EAGAIN;
            return -1;
        }
    }
    return syscall(SYS_preadv2, fd, parts, count, (long)offset, 0L, flags);
}

EXPORT ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
    return preadv2(fd, parts, count, offset, flags);
}

EXPORT ssize_t pread(int fd, void *to, size_t length, off_t offset)
{
    if (is_cold(fd)) {
        note("read");
        wait_for("gate");
    }
    return syscall(SYS_pread64, fd, to, length, offset);
}

EXPORT ssize_t pread64(int fd, void *to, size_t length, off64_t offset)
{
    return pread(fd, to, length, offset);
}

/* What _FORTIFY_SOURCE makes of them. */
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __pread64_chk(int, void *, size_t, off64_t, size_t);
EXPORT ssize_t __pread_chk(int fd, void *to, size_t length, off_t offset, size_t room)
{
    return length <= room ? pread(fd, to, length, offset) : (abort(), -1);
}
EXPORT ssize_t __pread64_chk(int fd, void *to, size_t length, off64_t offset, size_t room)
{
    return __pread_chk(fd, to, length, offset, room);
}
