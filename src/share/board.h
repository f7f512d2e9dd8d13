/* The board: shared memory through which workers show what they do.
 *
 * One memfd: a page of the master's, a page for each worker with what the others look at when they
 * share out connections, a segment for each worker with the records of its threads, a part for its
 * last words (words.h), and its counters of clients (tally.h). Share, segment and words belong to
 * one worker process for its life and are mapped writable by it alone (and by the processes that it
 * forks for its connections, which write one record each); everybody else maps them read-only, the
 * words nobody. Records are single-writer atomics, there is no lock. The master reads counters,
 * range-checks them, and never follows anything that stands here. All is zero when it is handed
 * out. */
#ifndef SHARE_BOARD_H
#define SHARE_BOARD_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/tally.h"
#include "share/words.h"

#define BOARD_SEGMENTS 512 /* workers alive at once, draining ones included */
#define BOARD_THREADS 12288 /* records of a worker: THREADS_MAX of conf/core.h and some */
#define BOARD_LABEL 88
#define BOARD_MODULE 24
#define BOARD_ROUTE 40
#define BOARD_PROTOCOL 16
#define BOARD_LAYOUT 96 /* room for the text of board_layout() */

/* What a thread does. */
enum board_thread_state {
    BOARD_UNUSED, /* no thread or process has this record now */
    BOARD_STARTING,
    BOARD_WAITING,
    BOARD_BUSY, /* with what protocol and label say, since busy_since */
    BOARD_DRAINING,
    BOARD_ENDED,
};

/* One thread, or the one of a process that was forked for a connection. Written by it only, by
 * relaxed stores; but by who watches its thread, while that cannot: lost_since, and of a loop of
 * many connections placed, module and route. */
struct board_thread {
    _Alignas(64) _Atomic uint32_t state;      /* enum board_thread_state */
    _Atomic uint32_t connections;             /* open now, of a loop */
    _Atomic uint32_t pid;                     /* of a connection's process; 0: a thread */
    _Atomic uint32_t turns;                   /* of a loop; see BOARD_TURN_WAITS */
    _Atomic int64_t busy_since;               /* CLOCK_MONOTONIC ms, 0: not busy */
    _Atomic uint64_t accepted;                /* since the thread began */
    _Atomic uint64_t requests;
    _Atomic uint64_t bytes_in;
    _Atomic uint64_t bytes_out;
    _Atomic uint64_t moved_in, moved_out;     /* connections from and to other workers */
    _Atomic uint64_t stayed;                  /* that ended here, while the worker drained */
    _Atomic uint64_t shed;                    /* requests that it refused: they waited too long */
    _Atomic uint32_t tid;                     /* of the thread; 0: not told */
    /* May be seen half written: readers copy and clean. */
    _Alignas(64) char protocol[BOARD_PROTOCOL];
    char label[BOARD_LABEL];
    _Atomic uint64_t errors;                  /* requests that failed by the server's fault; rare */
    _Atomic uint64_t refused;                 /* connections: their clients had too many */
    _Atomic uint32_t held;                    /* of a connection's process: see struct place */
    _Atomic uint64_t unlogged;                /* bytes of lines that no log file has taken; rare */
    _Atomic int64_t lost_since;               /* CLOCK_MONOTONIC ms: its job is late; 0: not */
    _Atomic uint64_t placed;                  /* module and route are of this one of `requests`;
                                               * 0: of the latest */
    /* Whose code it runs, as label is for whom. Empty: none, or the thread does not tell. */
    _Alignas(64) char module[BOARD_MODULE];
    char route[BOARD_ROUTE];
};

/* A loop adds 2 for each turn, and 1 each before and after it waits: so who looks twice and finds
 * the same even number finds it in the same turn. */
#define BOARD_TURN_WAITS(turns) ((turns) % 2 == 1)

/* The records of a worker. */
struct board_segment {
    _Alignas(4096) _Atomic uint32_t threads;   /* records that are or were in use */
    struct board_thread thread[BOARD_THREADS];
};

/* What workers see of each other. */
struct board_share {
    _Alignas(4096) _Atomic uint32_t connections; /* open in the worker: accepting is shared by it */
    _Atomic uint32_t watching;                   /* loops that watch the listeners now */
    _Atomic uint32_t takes;                      /* whether it takes connections of others over */
    _Atomic uint32_t draining;                   /* answers are the last of their connections; for
                                                  * processes that the worker has forked, too */
};

/* Written by the master only. */
struct board_head {
    /* Which segments belong to workers that serve now: a bit a segment. */
    _Alignas(4096) _Atomic uint32_t serving[BOARD_SEGMENTS / 32];
    /* ... that serve or have served, and have not ended: they may hold connections. */
    _Atomic uint32_t holding[BOARD_SEGMENTS / 32];
    uint64_t tally_key[2]; /* drawn when the board is made */
};

struct board {
    int fd;
    const struct board_head *head;
    const struct board_share *shares;      /* BOARD_SEGMENTS of them, read-only */
    struct board_head *own_head;           /* master: writable */
    uint32_t serving[BOARD_SEGMENTS / 32]; /* master: what it has written there */
    uint32_t holding[BOARD_SEGMENTS / 32]; /* likewise */
    const struct tally *tallies;           /* worker: BOARD_SEGMENTS of them, read-only */
    struct tally *own_tally;               /* worker: writable */
    struct board_share *own_share;         /* worker: writable */
    struct board_segment *own;             /* worker: its segment, writable */
    struct words_area *own_words;          /* worker: likewise */
    unsigned index;                        /* worker: which one */
};

/* Master. 0 or -1 with errno. */
int board_create(struct board *board);
/* The board of an earlier image of this process, which has the same layout (the descriptor is taken
 * over). 0 or -1 with errno. */
int board_adopt(struct board *board, int fd);
/* Where everything lies: boards with the same text can be read alike. */
void board_layout(char text[BOARD_LAYOUT]);
int board_segment_clear(struct board *board, unsigned index); /* no worker may hold it */
/* A worker's segment, for reading; board_segment_unmap() when it is no longer looked at. NULL with
 * errno. */
const struct board_segment *board_segment_map(const struct board *board, unsigned index);
void board_segment_unmap(const struct board_segment *segment);
/* Copies the last words of whoever has that segment. 0 or -1 with errno. */
int board_words_read(const struct board *board, unsigned index, struct words_area *words);
void board_set_serving(struct board *board, unsigned index, bool on);
/* Worker. */
int board_attach(struct board *board, int fd, unsigned index);
/* From now on the worker cannot let its parts grow over those behind them, nor put others in their
 * place, until it ends: whoever takes it over writes there and nowhere else. Nothing is lost where
 * the kernel cannot (before Linux 6.10). Not before board_detach(). */
void board_seal(const struct board *board);
/* A process that has outlived its worker: what it writes from now on is seen by nobody, since share
 * and segment may soon be another's. Async-signal-safe. */
void board_detach(struct board *board);
void board_close(struct board *board);

/* Single-writer add: a plain load and store. */
#define board_add(field, n)                                                                        \
    atomic_store_explicit((field), atomic_load_explicit((field), memory_order_relaxed) + (n),      \
                          memory_order_relaxed)
#define board_set(field, v) atomic_store_explicit((field), (v), memory_order_relaxed)
#define board_get(field) atomic_load_explicit((field), memory_order_relaxed)
/* Sets the label of a thread's record; shortened, made printable by readers. */
void board_label(struct board_thread *thread, const char *label, size_t length);
/* Sets whose connection it has, shortened. */
void board_protocol(struct board_thread *thread, const char *protocol);
/* Sets whose code the thread runs, both shortened; NULL: nobody's any more. */
void board_place(struct board_thread *thread, const char *module, const char *route);
/* Connections of the calling worker against the mean of all that serve: true if it has no more than
 * its share, or nobody else serves. */
bool board_has_share(const struct board *board);
/* How many connections that client has, in all workers that hold any. */
uint64_t board_tally_count(const struct board *board, uint64_t hash);
/* Does any other worker that serves take connections over? */
bool board_others_take(const struct board *board);
#endif
