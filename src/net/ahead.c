/* Reading ahead: what is to be sent of a file and is not in memory is read by a job of the pool
 * first, so that the loop does not wait for a disk. The bytes that the job reads are thrown away:
 * it is the kernel that keeps them, for sendfile().
 *
 * Threads: ahead_in_memory, ahead_begin, ahead_cancel and the way back in the loop's; fetch() in a
 * pool thread. Memory: the job is the pool's from submit until it is back, then it is freed. The
 * file stays with the output queue: from ahead_begin until the job is back nothing is flushed, and
 * nothing cleared, so its descriptor stays open; a connection that is closed meanwhile is a zombie.
 * What must hold: a connection has at most one such job; the protocol does not hear of it, no step
 * is due when it is back, and its client's time to read stands still meanwhile. Whether the reading
 * went well is not asked: sendfile() will say so. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop-private.h"

#define PAGE 4096
#define FETCH (512 * 1024) /* bytes that a job reads at most: several slices, see out.c */
#define CHUNK 16384        /* on the stack of a pool thread */
#define MOST 128           /* jobs of a loop: the queue is for the protocols' jobs too */
#define RETRY 100          /* ms, when there are so many, or the queue is full */

struct ahead {
    struct job job; /* first: the pool sees only this */
    struct out_part part;
};

/* ------------------------------------------------------------------- asking --- */

static int byte_in_memory(int fd, off_t at)
{
    char byte;
    struct iovec one = {.iov_base = &byte, .iov_len = 1};
    if (preadv2(fd, &one, 1, at, RWF_NOWAIT) >= 0) /* 0: the file is shorter, so nothing is read */
        return 1;
    /* Other errors: a file system (tmpfs, NFS, ...) or kernel that does not know the question. */
    return errno == EAGAIN ? 0 : -1;
}

/* Its first and its last page speak for those between. (mincore() would tell of all, but tells
 * nothing true to who may not write the file.) */
int ahead_in_memory(int fd, off_t offset, size_t length)
{
    off_t last = offset + (off_t)length - 1;
    int told = byte_in_memory(fd, offset);
    return told <= 0 || offset / PAGE == last / PAGE ? told : byte_in_memory(fd, last);
}

/* ------------------------------------------------------------------- the job --- */

static void fetch(void *arg)
{
    const struct ahead *ahead = arg;
    char chunk[CHUNK];
    off_t at = ahead->part.offset, end = at + (off_t)ahead->part.length;
    posix_fadvise(ahead->part.fd, at, end - at, POSIX_FADV_WILLNEED); /* all of it at once */
    while (at < end && !reeve_cancelled()) {
        size_t length = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
        ssize_t n = pread(ahead->part.fd, chunk, length, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
    }
}

static void ahead_returned(struct job *job)
{
    struct ahead *ahead = (struct ahead *)(void *)job;
    struct reeve_conn *conn = job->conn;
    size_t length = ahead->part.length;
    conn->ahead = NULL;
    free(ahead);
    conn->loop->aheads--;
    if (conn->state == CONN_ZOMBIE) {
        out_clear(&conn->out, &conn->loop->pool);
        conn_end_if_last(conn);
        return;
    }
    conn->out.fetched = length;
    conn->engine_deadline += clock_now_ms() - conn->cold_since;
    conn->cold_since = 0;
    step_run(conn);
}

/* 0, or -1: too many, no room in the pool, or no memory. */
static int submit(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    struct ahead *ahead = loop->aheads < MOST ? malloc(sizeof *ahead) : NULL;
    if (!ahead)
        return -1;
    job_fill(&ahead->job, conn, ahead_returned);
    ahead->job.run = fetch;
    ahead->job.arg = ahead;
    ahead->part = out_cold(&conn->out, FETCH);
    if (loop->engine->submit(&ahead->job) < 0) {
        free(ahead);
        return -1;
    }
    loop->aheads++;
    conn->ahead = ahead;
    return 0;
}

void ahead_begin(struct reeve_conn *conn)
{
    if (!conn->cold_since)
        conn->cold_since = clock_now_ms();
    if (submit(conn) < 0)
        conn->ahead_at = clock_now_ms() + RETRY;
}

void ahead_cancel(struct reeve_conn *conn)
{
    if (conn->ahead)
        atomic_store_explicit(&conn->ahead->job.cancelled, true, memory_order_relaxed);
}
