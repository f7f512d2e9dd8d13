/* Reading bytes of a file; see read.h. A thread keeps nothing, but which file system it last found
 * unable to say what is in memory, so that its files cost no call that is known to fail. */
#include "config.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "read.h"

int read_whole(int fd, void *to, size_t length, uint64_t offset)
{
    char *at = to;
    while (length > 0) {
        ssize_t n = pread(fd, at, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n < 0 ? errno : EIO; /* it has become shorter */
            return -1;
        }
        at += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

bool read_cached(int fd, const struct stat *st, void *to, size_t length, uint64_t offset)
{
    static _Thread_local dev_t unable; /* 0 is no device that files lie on */
    struct iovec all = {.iov_base = to, .iov_len = length};
    if (st->st_dev != unable) {
        ssize_t n = preadv2(fd, &all, 1, (off_t)offset, RWF_NOWAIT);
        if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
            return n == (ssize_t)length;
        unable = st->st_dev;
    }
    return read_whole(fd, to, length, offset) == 0;
}
