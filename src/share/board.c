/* The board; see board.h. Master: creates it, reads all, writes the head. Worker: writes its own
 * share and segment, reads the other shares. */
#include "config.h"

#include "share/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"

#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10; the same everywhere but on alpha */
#endif

/* The file: head, shares, segments, words, tallies. */
#define SHARES_AT sizeof(struct board_head)
#define SEGMENTS_AT (SHARES_AT + BOARD_SEGMENTS * sizeof(struct board_share))
#define WORDS_AT (SEGMENTS_AT + BOARD_SEGMENTS * sizeof(struct board_segment))
#define TALLIES_AT (WORDS_AT + BOARD_SEGMENTS * sizeof(struct words_area))
#define TALLIES_LENGTH (BOARD_SEGMENTS * sizeof(struct tally))
#define BOARD_LENGTH (TALLIES_AT + TALLIES_LENGTH)

static off_t share_offset(unsigned index)
{
    return (off_t)(SHARES_AT + index * sizeof(struct board_share));
}

static off_t segment_offset(unsigned index)
{
    return (off_t)(SEGMENTS_AT + index * sizeof(struct board_segment));
}

static off_t words_offset(unsigned index)
{
    return (off_t)(WORDS_AT + index * sizeof(struct words_area));
}

static off_t tally_offset(unsigned index)
{
    return (off_t)(TALLIES_AT + index * sizeof(struct tally));
}

/* NULL with errno. */
static void *map(int fd, size_t length, int access, off_t offset)
{
    void *at = mmap(NULL, length, access, MAP_SHARED, fd, offset);

    return at == MAP_FAILED ? NULL : at;
}

/* Through a descriptor that is open for reading only: such a mapping cannot be made writable. */
static const void *map_to_read(const struct board *board, size_t length, off_t offset)
{
    char path[32];
    int fd;
    void *at;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", board->fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    at = map(fd, length, PROT_READ, offset);
    sys_close(&fd);
    return at;
}

static int map_common(struct board *board)
{
    board->head = map_to_read(board, SEGMENTS_AT, 0);
    if (!board->head)
        return -1;
    board->shares = (const void *)((const char *)board->head + SHARES_AT);
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
        map_common(board) < 0)
        goto failed;
    board->own_head = map(board->fd, sizeof(struct board_head), PROT_READ | PROT_WRITE, 0);
    if (board->own_head && getentropy(board->own_head->tally_key, sizeof(uint64_t[2])) == 0)
        return 0;
failed:
    board_close(board);
    return -1;
}

int board_adopt(struct board *board, int fd)
{
    struct stat st;

    *board = (struct board){.fd = fd};
    if (fstat(fd, &st) < 0)
        return -1;
    if (st.st_size != (off_t)BOARD_LENGTH) {
        errno = EINVAL;
        return -1;
    }
    if (map_common(board) < 0)
        return -1;
    board->own_head = map(board->fd, sizeof(struct board_head), PROT_READ | PROT_WRITE, 0);
    for (size_t i = 0; i < BOARD_SEGMENTS / 32; i++)
        board->holding[i] = board_get(&board->head->holding[i]); /* nobody else can write there */
    return board->own_head ? 0 : -1;
}

void board_layout(char text[BOARD_LAYOUT])
{
    snprintf(text, BOARD_LAYOUT, "%zu+%d*%zu+%d*%zu/%zu+%zu*%d*%d",
             sizeof(struct board_head), BOARD_SEGMENTS, sizeof(struct board_share), BOARD_SEGMENTS,
             sizeof(struct board_segment), sizeof(struct board_thread), sizeof(struct tally),
             TALLY_BUCKETS, TALLY_SEATS);
}

static int clear(struct board *board, off_t offset, size_t length)
{
    return fallocate(board->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, (off_t)length);
}

/* Written whole from a private copy, never from what stands on the board. */
static void set_bit(_Atomic uint32_t *shown, uint32_t *bits, unsigned index, bool on)
{
    uint32_t bit = 1u << (index % 32), *word = &bits[index / 32];

    *word = on ? *word | bit : *word & ~bit;
    atomic_store(&shown[index / 32], *word);
}

int board_segment_clear(struct board *board, unsigned index)
{
    set_bit(board->own_head->holding, board->holding, index, false);
    if (clear(board, tally_offset(index), sizeof(struct tally)) < 0 ||
        clear(board, share_offset(index), sizeof(struct board_share)) < 0 ||
        clear(board, words_offset(index), sizeof(struct words_area)) < 0)
        return -1;
    return clear(board, segment_offset(index), sizeof(struct board_segment));
}

const struct board_segment *board_segment_map(const struct board *board, unsigned index)
{
    return map_to_read(board, sizeof(struct board_segment), segment_offset(index));
}

void board_segment_unmap(const struct board_segment *segment)
{
    if (segment)
        munmap((void *)(uintptr_t)segment, sizeof(*segment));
}

int board_words_read(const struct board *board, unsigned index, struct words_area *words)
{
    ssize_t n = pread(board->fd, words, sizeof(*words), words_offset(index));

    if (n == (ssize_t)sizeof(*words))
        return 0;
    if (n >= 0)
        errno = EIO;
    return -1;
}

void board_set_serving(struct board *board, unsigned index, bool on)
{
    set_bit(board->own_head->serving, board->serving, index, on);
    if (on) /* until the segment is cleared */
        set_bit(board->own_head->holding, board->holding, index, true);
}

int board_attach(struct board *board, int fd, unsigned index)
{
    *board = (struct board){.fd = fd, .index = index};
    if (index >= BOARD_SEGMENTS) {
        errno = EINVAL;
        return -1;
    }
    if (map_common(board) < 0)
        return -1;
    board->own_share = map(fd, sizeof(struct board_share), PROT_READ | PROT_WRITE,
                           share_offset(index));
    board->own = map(fd, sizeof(struct board_segment), PROT_READ | PROT_WRITE,
                     segment_offset(index));
    board->own_words = map(fd, sizeof(struct words_area), PROT_READ | PROT_WRITE,
                           words_offset(index));
    board->own_tally = map(fd, sizeof(struct tally), PROT_READ | PROT_WRITE, tally_offset(index));
    board->tallies = map_to_read(board, TALLIES_LENGTH, (off_t)TALLIES_AT);
    if (!board->own_share || !board->own || !board->own_words || !board->own_tally ||
        !board->tallies) {
        board_close(board);
        return -1;
    }
    sys_close(&board->fd); /* from here on nothing else can be mapped writable by accident */
    return 0;
}

void board_seal(const struct board *board)
{
    /* Not allowed to map the file, one can still have the kernel do it: mremap() of what is shared
     * goes on in the file, and remap_file_pages() goes anywhere. */
    syscall(SYS_mseal, board->own_share, sizeof(struct board_share), 0);
    syscall(SYS_mseal, board->own, sizeof(struct board_segment), 0);
    syscall(SYS_mseal, board->own_words, sizeof(struct words_area), 0);
    syscall(SYS_mseal, board->own_tally, sizeof(struct tally), 0);
}

static void detach(void *at, size_t length)
{
    mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void board_detach(struct board *board)
{
    detach(board->own_share, sizeof(struct board_share));
    detach(board->own, sizeof(struct board_segment));
    detach(board->own_words, sizeof(struct words_area));
    detach(board->own_tally, sizeof(struct tally));
}

void board_close(struct board *board)
{
    if (board->head)
        munmap((void *)(uintptr_t)board->head, SEGMENTS_AT);
    if (board->own_head)
        munmap(board->own_head, sizeof(struct board_head));
    if (board->own_share)
        munmap(board->own_share, sizeof(struct board_share));
    if (board->own)
        munmap(board->own, sizeof(struct board_segment));
    if (board->own_words)
        munmap(board->own_words, sizeof(struct words_area));
    if (board->own_tally)
        munmap(board->own_tally, sizeof(struct tally));
    if (board->tallies)
        munmap((void *)(uintptr_t)board->tallies, TALLIES_LENGTH);
    sys_close(&board->fd);
    *board = (struct board){.fd = -1};
}

/* By plain stores, the last bytes perhaps twice: the compiler would take a string instruction,
 * which takes long to begin. A loop shows the label of each of its requests. */
static inline void set_text(char *to, size_t room, const char *text, size_t length)
{
    if (length >= room)
        length = room - 1;
    to[length] = '\0';
    if (length < sizeof(uint64_t)) {
        while (length-- > 0)
            to[length] = text[length];
        return;
    }
    for (size_t at = 0; at + sizeof(uint64_t) < length; at += sizeof(uint64_t))
        memcpy(to + at, text + at, sizeof(uint64_t));
    memcpy(to + length - sizeof(uint64_t), text + length - sizeof(uint64_t), sizeof(uint64_t));
}

void board_label(struct board_thread *thread, const char *label, size_t length)
{
    set_text(thread->label, sizeof(thread->label), label, length);
}

void board_protocol(struct board_thread *thread, const char *protocol)
{
    set_text(thread->protocol, sizeof(thread->protocol), protocol, strlen(protocol));
}

void board_place(struct board_thread *thread, const char *module, const char *route)
{
    if (!module || !route)
        route = "";
    if (!module)
        module = "";
    set_text(thread->route, sizeof(thread->route), route, strlen(route));
    set_text(thread->module, sizeof(thread->module), module, strlen(module));
}

bool board_has_share(const struct board *board)
{
    uint64_t total = 0, serving = 0;
    uint64_t own = atomic_load_explicit(&board->own_share->connections, memory_order_relaxed);

    for (unsigned word = 0; word < BOARD_SEGMENTS / 32; word++) {
        uint32_t bits = board_get(&board->head->serving[word]);

        for (; bits; bits &= bits - 1) {
            unsigned index = word * 32 + (unsigned)__builtin_ctz(bits);

            total += board_get(&board->shares[index].connections);
            serving++;
        }
    }
    /* own <= mean * 17/16 + 1, in whole numbers */
    return serving < 2 || own * serving * 16 <= total * 17 + serving * 16;
}

uint64_t board_tally_count(const struct board *board, uint64_t hash)
{
    uint64_t count = 0;

    for (unsigned word = 0; word < BOARD_SEGMENTS / 32; word++)
        for (uint32_t bits = board_get(&board->head->holding[word]); bits; bits &= bits - 1)
            count += tally_count(&board->tallies[word * 32 + (unsigned)__builtin_ctz(bits)], hash);
    return count;
}

bool board_others_take(const struct board *board)
{
    for (unsigned word = 0; word < BOARD_SEGMENTS / 32; word++) {
        uint32_t bits = board_get(&board->head->serving[word]);

        for (; bits; bits &= bits - 1) {
            unsigned index = word * 32 + (unsigned)__builtin_ctz(bits);

            if (index != board->index && board_get(&board->shares[index].takes))
                return true;
        }
    }
    return false;
}
