/* System calls as this program wants them; see sys.h. Master and worker. */
#include "config.h"

#include "base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t sys_recv(int fd, void *to, size_t room)
{
    return syscall(SYS_recvfrom, fd, to, room, 0, NULL, NULL);
}

ssize_t sys_send(int fd, const void *data, size_t length, int flags)
{
    return syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
}

void sys_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

int sys_highest_fd(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int highest = -1;

    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int fd = atoi(entry->d_name);

        if (fd > highest && fd != dirfd(folder))
            highest = fd;
    }
    closedir(folder);
    return highest;
}

void sys_close_range(unsigned first, unsigned last)
{
    int highest;

    if (syscall(SYS_close_range, first, last, 0) == 0)
        return;
    highest = sys_highest_fd(); /* a kernel before 5.9, or a filter that does not know the call */
    for (unsigned fd = first; highest >= 0 && fd <= (unsigned)highest && fd <= last; fd++)
        close((int)fd);
}

int sys_write_all(int fd, const void *data, size_t length)
{
    const char *next = data;

    while (length > 0) {
        ssize_t n = write(fd, next, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        next += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Reads until the end or until `room` is full. */
static ssize_t read_full(int fd, char *data, size_t room)
{
    size_t length = 0;

    while (length < room) {
        ssize_t n = read(fd, data + length, room - length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

int sys_read_file(const char *path, size_t limit, char **data, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0)
        goto failed;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        goto failed;
    }
    if ((uintmax_t)st.st_size > limit) {
        errno = EFBIG;
        goto failed;
    }
    *data = malloc((size_t)st.st_size + 1);
    if (!*data)
        goto failed;
    n = read_full(fd, *data, (size_t)st.st_size);
    if (n < 0) {
        free(*data);
        goto failed;
    }
    (*data)[n] = '\0';
    *length = (size_t)n;
    sys_close(&fd);
    return 0;
failed:
    sys_close(&fd);
    return -1;
}

int sys_set_nonblock(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL), wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;

    if (flags < 0)
        return -1;
    return wanted == flags ? 0 : fcntl(fd, F_SETFL, wanted);
}

int sys_set_cloexec(int fd, bool on)
{
    return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

bool sys_read_small(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read_full(fd, text, room - 1);
    sys_close(&fd);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

bool sys_is_stopped(pid_t pid)
{
    char path[64], text[256];
    const char *after;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    after = sys_read_small(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
    return after && after[1] == ' ' && (after[2] == 'T' || after[2] == 't'); /* PID (NAME) STATE */
}
