/* The output queue: see out.h for threads, memory and what must hold. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/sys.h"
#include "net/out.h"

#define BLOCK 4096    /* bytes of a block with its header: an answer's head, some short answers */
#define SPARES 256    /* blocks, and pieces, that a loop keeps */
#define PIECES_AT_ONCE 64

enum out_kind { OUT_BYTES, OUT_BORROWED, OUT_FILE };

struct out_piece {
    struct out_piece *next;
    enum out_kind kind;
    int fd;           /* OUT_FILE */
    off_t offset;     /* OUT_FILE: of the first unsent byte */
    bool unknown;     /* OUT_FILE: nobody can tell whether it is in memory */
    const char *data; /* the others: the first unsent byte */
    size_t length;    /* unsent */
    size_t room;      /* OUT_BYTES: how many more fit behind them */
    size_t size;      /* OUT_BYTES: of bytes[] */
    reeve_release_f *release;
    void *arg;
    char bytes[];
};

#define BLOCK_BYTES (BLOCK - sizeof(struct out_piece))

static __attribute__((noinline)) struct out_piece *block_make(size_t want)
{
    size_t size = want > BLOCK_BYTES ? want : BLOCK_BYTES;
    struct out_piece *piece =
        size <= SIZE_MAX - sizeof *piece ? malloc(sizeof *piece + size) : NULL;
    if (!piece)
        return NULL;
    *piece = (struct out_piece){.kind = OUT_BYTES, .fd = -1, .room = size, .size = size};
    piece->data = piece->bytes;
    return piece;
}

/* A piece for at least `want` copied bytes. */
static inline struct out_piece *block_new(struct out_pool *pool, size_t want)
{
    struct out_piece *piece = pool->blocks;
    if (!piece || want > BLOCK_BYTES)
        return block_make(want);
    pool->blocks = piece->next;
    pool->block_count--;
    piece->data = piece->bytes; /* the rest is as block_make() has left it */
    piece->length = 0;
    piece->room = BLOCK_BYTES;
    return piece;
}

static struct out_piece *piece_new(struct out_pool *pool, enum out_kind kind)
{
    struct out_piece *piece = pool->pieces;
    if (piece) {
        pool->pieces = piece->next;
        pool->piece_count--;
    } else if (!(piece = malloc(sizeof *piece))) {
        return NULL;
    }
    *piece = (struct out_piece){.kind = kind, .fd = -1};
    return piece;
}

static void piece_free(struct out_pool *pool, struct out_piece *piece)
{
    bool block = piece->kind == OUT_BYTES;
    unsigned *count = block ? &pool->block_count : &pool->piece_count;
    if (*count >= SPARES || (block && piece->size != BLOCK_BYTES)) {
        free(piece);
        return;
    }
    struct out_piece **spares = block ? &pool->blocks : &pool->pieces;
    piece->next = *spares;
    *spares = piece;
    ++*count;
}

static void append(struct out *out, struct out_piece *piece)
{
    piece->next = NULL;
    if (out->tail)
        out->tail->next = piece;
    else
        out->head = piece;
    out->tail = piece;
    out->queued += piece->length;
}

/* Unlinks the first piece before it is released: the callback may look at the queue. */
static void remove_head(struct out *out, struct out_pool *pool)
{
    struct out_piece *piece = out->head;
    out->head = piece->next;
    if (!out->head)
        out->tail = NULL;
    out->queued -= piece->length;
    reeve_release_f *release = piece->release;
    void *arg = piece->arg;
    piece_free(pool, piece);
    if (release)
        release(arg);
}

static char *block_end(struct out_piece *piece)
{
    return piece->bytes + (piece->size - piece->room);
}

static inline void grow(struct out *out, struct out_piece *tail, size_t length)
{
    tail->length += length;
    tail->room -= length;
    out->queued += length;
}

static void block_grow(struct out *out, size_t length)
{
    struct out_piece *tail = out->tail;
    assert(tail && tail->kind == OUT_BYTES && length <= tail->room);
    grow(out, tail, length);
}

static size_t tail_room(const struct out *out)
{
    return out->tail && out->tail->kind == OUT_BYTES ? out->tail->room : 0;
}

int out_copy(struct out *out, struct out_pool *pool, const void *data, size_t length)
{
    size_t first = tail_room(out);
    if (first > length)
        first = length;
    struct out_piece *piece = NULL;
    if (first < length && !(piece = block_new(pool, length - first)))
        return -1;
    if (first) {
        memcpy(block_end(out->tail), data, first);
        block_grow(out, first);
    }
    if (piece) {
        append(out, piece);
        memcpy(piece->bytes, (const char *)data + first, length - first);
        block_grow(out, length - first);
    }
    return 0;
}

int out_borrow(struct out *out, struct out_pool *pool, const void *data, size_t length,
               reeve_release_f *release, void *arg)
{
    struct out_piece *piece = piece_new(pool, OUT_BORROWED);
    if (!piece)
        return -1;
    piece->data = data;
    piece->length = length;
    piece->release = release;
    piece->arg = arg;
    append(out, piece);
    return 0;
}

int out_file(struct out *out, struct out_pool *pool, int fd, off_t offset, size_t length,
             reeve_release_f *release, void *arg)
{
    struct out_piece *piece = piece_new(pool, OUT_FILE);
    if (!piece)
        return -1;
    piece->fd = fd;
    piece->offset = offset;
    piece->length = length;
    piece->release = release;
    piece->arg = arg;
    append(out, piece);
    return 0;
}

char *out_reserve(struct out *out, struct out_pool *pool, size_t want)
{
    if (!want || tail_room(out) < want) {
        struct out_piece *piece = block_new(pool, want);
        if (!piece)
            return NULL;
        append(out, piece);
    }
    return block_end(out->tail);
}

void out_commit(struct out *out, size_t length)
{
    if (length)
        block_grow(out, length);
}

char *out_append(struct out *out, struct out_pool *pool, size_t length)
{
    struct out_piece *tail = out->tail;
    if (!tail || tail->kind != OUT_BYTES || tail->room < length) {
        tail = block_new(pool, length);
        if (!tail)
            return NULL;
        append(out, tail);
    }
    char *at = block_end(tail);
    grow(out, tail, length);
    return at;
}

/* `length` bytes from the front of the queue have gone out. */
static void advance(struct out *out, struct out_pool *pool, size_t length)
{
    while (out->head) {
        struct out_piece *piece = out->head;
        size_t part = length < piece->length ? length : piece->length;
        piece->length -= part;
        out->queued -= part;
        length -= part;
        if (piece->length) {
            if (piece->kind == OUT_FILE)
                piece->offset += (off_t)part;
            else
                piece->data += part;
            return;
        }
        remove_head(out, pool);
    }
}

/* What follows is on its way: the head of an answer shares a packet with the file behind it. */
static int flags_for(const struct out *out, size_t asked)
{
    return MSG_NOSIGNAL | (asked < out->queued ? MSG_MORE : 0);
}

/* The piece at the front alone. */
static ssize_t send_piece(const struct out *out, int fd, size_t *asked)
{
    *asked = out->head->length;
    return sys_send(fd, out->head->data, *asked, flags_for(out, *asked));
}

/* One call for as much memory as stands before the next file. Returns what send() would. *asked:
 * how much it tried to send. */
static ssize_t send_memory(const struct out *out, int fd, size_t *asked)
{
    struct iovec parts[PIECES_AT_ONCE];
    size_t count = 0;
    const struct out_piece *piece = out->head;
    *asked = 0;
    for (; piece && count < PIECES_AT_ONCE; piece = piece->next) {
        if (!piece->length)
            continue;
        if (piece->kind == OUT_FILE)
            break;
        parts[count++] = (struct iovec){.iov_base = (void *)piece->data, .iov_len = piece->length};
        *asked += piece->length;
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    return sendmsg(fd, &message, flags_for(out, *asked));
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* How much of the file at the front can be sent without a wait for a disk. */
static size_t warm_part(struct out *out, const struct out_pool *pool, size_t budget)
{
    struct out_piece *piece = out->head;
    size_t length = least(piece->length, budget);
    if (!pool->in_memory || piece->unknown)
        return length;
    if (!out->warm) {
        ssize_t told = pool->in_memory(piece->fd, piece->offset, length);
        if (told < 0) {
            piece->unknown = true;
            return length;
        }
        out->warm = (size_t)told;
    }
    return least(length, out->warm);
}

/* *asked: how much it tried to send; 0: nothing, it is on the disk. */
static ssize_t send_file(struct out *out, const struct out_pool *pool, int fd, size_t budget,
                         size_t *asked)
{
    off_t offset = out->head->offset;
    *asked = warm_part(out, pool, budget);
    if (!*asked)
        return 0;
    ssize_t n = sendfile(fd, out->head->fd, &offset, *asked);
    if (n > 0)
        out->warm -= least(out->warm, (size_t)n);
    return n;
}

enum out_result out_flush(struct out *out, struct out_pool *pool, int fd, size_t budget,
                          size_t *sent)
{
    *sent = 0;
    if (out->head && !out->head->length)
        advance(out, pool, 0);
    while (out->head) {
        if (*sent >= budget)
            return OUT_BUDGET;
        bool file = out->head->kind == OUT_FILE;
        size_t asked = 0;
        const struct out_piece *next = out->head->next;
        ssize_t n = file ? send_file(out, pool, fd, budget - *sent, &asked)
                    : !next || next->kind == OUT_FILE ? send_piece(out, fd, &asked)
                                                      : send_memory(out, fd, &asked);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? OUT_BLOCKED : OUT_FAILED;
        if (file && n == 0)
            return asked ? OUT_SHRUNK : OUT_COLD;
        *sent += (size_t)n;
        advance(out, pool, (size_t)n);
        /* A short send() means that the socket is full, and the kernel will tell when it is not. A
         * short sendfile() may have other reasons: it is asked again. */
        if (!file && (size_t)n < asked)
            return OUT_BLOCKED;
    }
    return OUT_EMPTY;
}

struct out_part out_cold(const struct out *out, size_t most)
{
    const struct out_piece *piece = out->head;
    return (struct out_part){piece->fd, piece->offset, least(piece->length, most)};
}

void out_clear(struct out *out, struct out_pool *pool)
{
    while (out->head)
        remove_head(out, pool);
}

static void spares_free(struct out_piece *piece)
{
    while (piece) {
        struct out_piece *next = piece->next;
        free(piece);
        piece = next;
    }
}

void out_pool_free(struct out_pool *pool)
{
    spares_free(pool->blocks);
    spares_free(pool->pieces);
    *pool = (struct out_pool){0};
}
