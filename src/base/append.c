/* Lines at the end of a file; see append.h.
 *
 * Master and worker, any thread, also the handler of a crash: only calls that are safe there.
 * Nothing is allocated.
 *
 * A regular file is written to once, never for the rest of what was cut short: in between another
 * process may have written. Taking back is done only where our bytes are still the last: the
 * position after a write with O_APPEND is where it ended, so it must be the size of the file.
 * Between that look and the cut another could write, or another file come under that number, if the
 * disk got room just then; a line more would be lost, as ours is. */
#include "config.h"

#include "base/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Removes the last bytes of the file, if they are ours. */
static bool take_back(int fd, size_t bytes)
{
    off_t end = lseek(fd, 0, SEEK_CUR), whole = end - (off_t)bytes;
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != end || ftruncate(fd, whole) < 0)
        return false;
    /* The position is shared with others: it is left alone but where the next write would begin at
     * it, as in a standard error that was not opened with O_APPEND. */
    return (fcntl(fd, F_GETFL) & O_APPEND) || lseek(fd, whole, SEEK_SET) == whole;
}

/* How many bytes went out. */
static size_t put(int fd, const char *data, size_t length, bool torn)
{
    struct iovec parts[] = {{(char *)"\n", torn}, {(char *)data, length}};
    size_t done = 0, lead = torn;

    while (done < length) {
        ssize_t n = writev(fd, parts, 2);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n - ((size_t)n < lead ? (size_t)n : lead);
        lead = 0;
        parts[0].iov_len = 0;
        parts[1] = (struct iovec){(char *)data + done, length - done};
        if (done < length && is_regular(fd)) {
            errno = ENOSPC;
            break;
        }
    }
    return done;
}

size_t append_lines(int fd, const char *data, size_t length, atomic_bool *torn)
{
    bool was_torn =
        atomic_load_explicit(torn, memory_order_relaxed) && atomic_exchange(torn, false);
    size_t done = put(fd, data, length, was_torn);
    const char *end = done > 0 ? memrchr(data, '\n', done) : NULL;
    size_t whole = end ? (size_t)(end + 1 - data) : 0;
    int why = errno;

    if (done == length)
        return 0;
    if (done == 0 ? was_torn : done > whole && !take_back(fd, done - whole))
        atomic_store(torn, true); /* an empty line more is better than two lines in one */
    errno = why;
    return length - whole;
}
