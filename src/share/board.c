/* The board; see board.h. Master: creates it, reads all, writes the head. Worker: writes its own
 * segment, reads the rest. */
#include "config.h"

#include "share/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"

#define BOARD_LENGTH (sizeof(struct board_head) + BOARD_SEGMENTS * sizeof(struct board_segment))

static off_t segment_offset(unsigned index)
{
    return (off_t)(sizeof(struct board_head) + index * sizeof(struct board_segment));
}

/* Through a descriptor that is open for reading only: such a mapping cannot be made writable. */
static int map_all(struct board *board)
{
    char path[32];
    int fd;
    void *all;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", board->fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    all = mmap(NULL, BOARD_LENGTH, PROT_READ, MAP_SHARED, fd, 0);
    sys_close(&fd);
    if (all == MAP_FAILED)
        return -1;
    board->head = all;
    board->segments = (const void *)((const char *)all + sizeof(struct board_head));
    return 0;
}

int board_create(struct board *board)
{
    *board = (struct board){.fd = memfd_create("reeve-board", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (board->fd < 0)
        return -1;
    /* Sealed in size: no worker can truncate it under the master's mapping. */
    if (ftruncate(board->fd, (off_t)BOARD_LENGTH) < 0 ||
        fcntl(board->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
        map_all(board) < 0)
        goto failed;
    board->own_head = mmap(NULL, sizeof(struct board_head), PROT_READ | PROT_WRITE, MAP_SHARED,
                           board->fd, 0);
    if (board->own_head == MAP_FAILED) {
        board->own_head = NULL;
        goto failed;
    }
    return 0;
failed:
    board_close(board);
    return -1;
}

int board_segment_clear(struct board *board, unsigned index)
{
    return fallocate(board->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, segment_offset(index),
                     sizeof(struct board_segment));
}

void board_set_serving(struct board *board, unsigned index, bool on)
{
    uint32_t bit = 1u << (index % 32), *word = &board->serving[index / 32];

    /* Written whole from a private copy, never from what stands on the board. */
    *word = on ? *word | bit : *word & ~bit;
    atomic_store(&board->own_head->serving[index / 32], *word);
}

int board_attach(struct board *board, int fd, unsigned index)
{
    *board = (struct board){.fd = fd, .index = index};
    if (index >= BOARD_SEGMENTS) {
        errno = EINVAL;
        return -1;
    }
    if (map_all(board) < 0)
        return -1;
    board->own = mmap(NULL, sizeof(struct board_segment), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                      segment_offset(index));
    if (board->own == MAP_FAILED) {
        board->own = NULL;
        board_close(board);
        return -1;
    }
    sys_close(&board->fd); /* from here on nothing else can be mapped writable by accident */
    return 0;
}

void board_close(struct board *board)
{
    if (board->head)
        munmap((void *)(uintptr_t)board->head, BOARD_LENGTH);
    if (board->own_head)
        munmap(board->own_head, sizeof(struct board_head));
    if (board->own)
        munmap(board->own, sizeof(struct board_segment));
    sys_close(&board->fd);
    *board = (struct board){.fd = -1};
}

void board_label(struct board_thread *thread, const char *label, size_t length)
{
    if (length >= BOARD_LABEL)
        length = BOARD_LABEL - 1;
    memcpy(thread->label, label, length);
    thread->label[length] = '\0';
}

bool board_has_share(const struct board *board)
{
    uint64_t total = 0, serving = 0;
    uint64_t own = atomic_load_explicit(&board->own->connections, memory_order_relaxed);

    for (unsigned word = 0; word < BOARD_SEGMENTS / 32; word++) {
        uint32_t bits = board_get(&board->head->serving[word]);

        for (; bits; bits &= bits - 1) {
            unsigned index = word * 32 + (unsigned)__builtin_ctz(bits);

            total += board_get(&board->segments[index].connections);
            serving++;
        }
    }
    /* own <= mean * 17/16 + 1, in whole numbers */
    return serving < 2 || own * serving * 16 <= total * 17 + serving * 16;
}
