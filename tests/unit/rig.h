/* A small server for the tests of the engine: real loops in threads, real loopback listeners on
 * ports that the kernel chooses, a pool stub, and blocking clients that give up after a while. */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H
#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/loop.h"

#define RIG_LOOPS 4
#define RIG_POOL 4

/* Most tests run with each. */
static const enum wait_kind rig_waits[] = {WAIT_EPOLL, WAIT_POLL};

struct rig {
    /* set before rig_start */
    const struct reeve_protocol *protocol;
    int loop_count;     /* 0: 1 */
    int connections;    /* 0: MANY */
    enum wait_kind wait;
    int pool_threads;   /* 0: none */
    int64_t send_timeout, send_rate, drain_linger;
    ssize_t (*in_memory)(int fd, off_t offset, size_t length); /* NULL: files are never asked for */
    bool (*turn_end)(int events);
    size_t high_water, low_water; /* 0: 64 KiB, 16 KiB */
    int send_buffer;    /* SO_SNDBUF of the accepted sockets, 0: as it is */
    int (*launch)(struct loop *loop, const struct accepted *accepted); /* NULL: loops serve */
    void (*loops_joined)(void); /* in rig_end, before the loops are freed; may be NULL */
    void (*guest_ready)(void *arg); /* of the first loop; NULL: no guest */
    void *guest_arg;
    int guest_fd;

    /* filled by rig_start */
    struct engine engine;
    struct listener listeners[2];
    int ports[2];
    struct board master, board;
    struct loop *loops[RIG_LOOPS];
    pthread_t threads[RIG_LOOPS];
    atomic_int quiet; /* loops that have stopped accepting */

    atomic_int jobs; /* that the pool has taken in */

    atomic_int refusals; /* so many jobs are refused, as if the queue were full; at any time */
};

/* Listens; loops run, but have not been told to serve. */
void rig_start(struct rig *rig);
void rig_command(struct rig *rig, enum loop_command command);
/* Joins the loops (which must have been told to end) and frees all. */
void rig_end(struct rig *rig);
void rig_stop(struct rig *rig); /* LOOP_STOP, then rig_end */

int rig_connect(struct rig *rig, int listener); /* blocking socket with timeouts */
void rig_put(int fd, const char *text);
void rig_put_slowly(int fd, const char *text); /* a byte at a time */
void rig_expect(int fd, const char *text);
void rig_expect_end(int fd);   /* end of file, not a reset */
void rig_expect_over(int fd);  /* end of file or a reset */
void rig_expect_silence(int fd); /* nothing comes for a moment */
void rig_reset(int fd);        /* closes by a reset */
unsigned rig_open(struct rig *rig); /* connections, as the board says */

/* Waits until the condition holds; fails the test after ten seconds. */
bool rig_pause(int *rounds);
#define rig_until(condition)                                                                       \
    for (int rig_rounds = 0; !(condition);)                                                        \
    ck_assert_msg(rig_pause(&rig_rounds), "never came true: %s", #condition)
#endif
