/* The output queue of a connection: copied bytes, borrowed memory and file ranges, in order.
 *
 * Thread: the loop's. Memory: copied bytes stand in blocks that belong to the queue and go back to
 * the loop's pool as soon as they are sent; borrowed memory and files belong to whoever queued them
 * until `release` is called, exactly once, by flush or clear.
 * What must hold: `queued` is the sum of the pieces' unsent lengths. */
#ifndef NET_OUT_H
#define NET_OUT_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "reeve/protocol.h"

struct out_piece;

/* Spare blocks and pieces of one loop. All zero: empty. */
struct out_pool {
    struct out_piece *blocks, *pieces;
    unsigned block_count, piece_count;
    /* Asked before a part of a file is sent, see struct engine. NULL: nobody minds the wait. */
    ssize_t (*in_memory)(int fd, off_t offset, size_t length);
};

/* All zero: empty. */
struct out {
    struct out_piece *head, *tail;
    size_t queued;
    size_t warm; /* bytes of the file at the front that are in memory */
};

/* A part of a file. */
struct out_part {
    int fd;
    off_t offset;
    size_t length;
};

enum out_result {
    OUT_EMPTY,   /* all is sent */
    OUT_BLOCKED, /* the socket takes no more now */
    OUT_BUDGET,  /* it may take more, but others want their turn */
    OUT_COLD,    /* it may take more, but a disk would have to be waited for: see out_cold() */
    OUT_SHRUNK,  /* a file ended before the length that was promised */
    OUT_FAILED,  /* errno */
};

/* 0, or -1 when memory is short: the queue is as before and `release` was not called. */
int out_copy(struct out *out, struct out_pool *pool, const void *data, size_t length);
int out_borrow(struct out *out, struct out_pool *pool, const void *data, size_t length,
               reeve_release_f *release, void *arg);
int out_file(struct out *out, struct out_pool *pool, int fd, off_t offset, size_t length,
             reeve_release_f *release, void *arg);
/* Room for `want` bytes at the end, of which out_commit() then makes `length` part of the queue. */
char *out_reserve(struct out *out, struct out_pool *pool, size_t want);
void out_commit(struct out *out, size_t length);
/* Makes `length` bytes part of the queue, for the caller to write; NULL when memory is short. */
char *out_append(struct out *out, struct out_pool *pool, size_t length);

/* Sends to a non-blocking socket until all is sent, it takes no more, or `budget` bytes have gone.
 * *sent: how many went, also when it fails. */
enum out_result out_flush(struct out *out, struct out_pool *pool, int fd, size_t budget,
                          size_t *sent);
/* After OUT_COLD: what should be in memory before the next flush, at most `most` bytes. The
 * descriptor stays open as long as nothing is flushed or cleared. */
struct out_part out_cold(const struct out *out, size_t most);
/* What was found in memory, or read into it, has been left there so long that it may be gone. */
static inline void out_cool_down(struct out *out) { out->warm = 0; }
/* Is there a piece, be it of length 0, that flush must see? */
static inline bool out_pending(const struct out *out) { return out->head != NULL; }
/* Drops what is queued, releasing all. */
void out_clear(struct out *out, struct out_pool *pool);
void out_pool_free(struct out_pool *pool);
#endif
