/* Who takes connections, and when: one-connection loops behind the gate, shares between workers, no
 * descriptors left. */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "rig.h"
#include "talk.h"
#include "unit.h"

static struct rig rig;

static void start(int loops, int connections, int row)
{
    rig.protocol = &talk;
    rig.loop_count = loops;
    rig.connections = connections;
    rig.wait = rig_waits[row];
    rig_start(&rig);
}

START_TEST(one_connection_a_loop)
{
    int fds[5];
    start(4, 1, _i);
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < 4; i++) {
        fds[i] = rig_connect(&rig, i % 2);
        rig_put(fds[i], "echo here\n");
        rig_expect(fds[i], "here\n");
    }
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(board_get(&rig.board.own->thread[i].connections), 1);
    fds[4] = rig_connect(&rig, 0);
    rig_put(fds[4], "echo fifth\n");
    rig_expect_silence(fds[4]);
    rig_put_slowly(fds[2], "echo still\n");
    rig_expect(fds[2], "still\n");
    close(fds[2]);
    rig_expect(fds[4], "fifth\n");
    rig_stop(&rig);
}
END_TEST

START_TEST(gate_goes_round)
{
    enum { CLIENTS = 16, ROUNDS = 50 };
    int fds[CLIENTS];
    start(4, 1, _i);
    rig_command(&rig, LOOP_SERVE);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            fds[i] = rig_connect(&rig, i % 2);
            rig_put(fds[i], "quit\n");
        }
        for (int i = 0; i < CLIENTS; i++) {
            rig_expect(fds[i], "bye\n");
            rig_expect_end(fds[i]);
        }
    }
    rig_until(atomic_load(&talk_counts.closed) == CLIENTS * ROUNDS);
    uint64_t accepted = 0;
    for (int i = 0; i < 4; i++)
        accepted += board_get(&rig.board.own->thread[i].accepted);
    ck_assert_uint_eq(accepted, CLIENTS * ROUNDS);
    rig_stop(&rig);
}
END_TEST

START_TEST(full_loop_stops_and_goes_on)
{
    int fds[6];
    start(1, 3, _i);
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < 6; i++) {
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], "echo x\n");
    }
    for (int i = 0; i < 3; i++)
        rig_expect(fds[i], "x\n");
    rig_expect_silence(fds[3]);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    for (int i = 3; i < 6; i++)
        rig_expect(fds[i], "x\n");
    rig_stop(&rig);
}
END_TEST

static void rest(bool on)
{
    atomic_store(&rig.engine.resting, on);
    rig_command(&rig, on ? LOOP_REST : LOOP_SERVE);
}

/* _i: which way to wait, for loops of one connection and for loops of many. */
START_TEST(rests_and_goes_on)
{
    int held, other;
    start(_i / 2 ? 4 : 1, _i / 2 ? 1 : MANY, _i % 2);
    rig_command(&rig, LOOP_SERVE);
    held = rig_connect(&rig, 0);
    rig_put(held, "echo held\n");
    rig_expect(held, "held\n");
    rest(true);
    while (board_get(&rig.board.own_share->watching))
        sched_yield();
    other = rig_connect(&rig, 0);
    rig_put(other, "echo other\n");
    rig_expect_silence(other);
    rig_put(held, "echo still\n");
    rig_expect(held, "still\n");
    rest(false);
    rig_expect(other, "other\n");
    rest(true);
    rest(false); /* perhaps before a loop has looked: the last word counts */
    close(held);
    close(other);
    held = rig_connect(&rig, 0);
    rig_put(held, "echo again\n");
    rig_expect(held, "again\n");
    rest(true);
    rig_command(&rig, LOOP_DRAIN); /* who rests can drain */
    close(held);
    rig_end(&rig);
}
END_TEST

/* _i as before. */
START_TEST(rests_from_all_but_one)
{
    int left, stays;
    start(_i / 2 ? 4 : 1, _i / 2 ? 1 : MANY, _i % 2);
    rig_command(&rig, LOOP_SERVE);
    for (int turn = 0; turn < 3; turn++) {
        atomic_store(&rig.engine.listeners[1].stays, true);
        rest(true);
        for (int i = 0; i < 10; i++) {
            stays = rig_connect(&rig, 1);
            rig_put(stays, "echo stays\n");
            rig_expect(stays, "stays\n");
            close(stays);
        }
        left = rig_connect(&rig, 0);
        rig_put(left, "echo left\n");
        if (turn > 0)
            rig_expect_silence(left); /* the first may have been taken just before */
        atomic_store(&rig.engine.listeners[1].stays, false);
        rest(false);
        rig_expect(left, "left\n");
        close(left);
    }
    rig_stop(&rig);
}
END_TEST

START_TEST(leaves_what_is_beyond_its_share)
{
    struct board other;
    int fds[6];
    start(1, MANY, _i);
    ck_assert_int_eq(board_attach(&other, dup(rig.master.fd), 1), 0);
    board_set(&other.own_share->watching, 1);
    board_set_serving(&rig.master, 1, true); /* a second worker, without connections */
    rig_command(&rig, LOOP_SERVE);
    int served = 0;
    for (; served < 6; served++) {
        if (!board_has_share(&rig.board))
            break;
        fds[served] = rig_connect(&rig, 0);
        rig_put(fds[served], "echo x\n");
        rig_expect(fds[served], "x\n");
    }
    ck_assert_int_eq(served, 3); /* the mean is 1.5: three are one more than a share allows */
    fds[3] = rig_connect(&rig, 0);
    rig_put(fds[3], "echo x\n");
    rig_expect_silence(fds[3]);
    board_set(&other.own_share->connections, 3); /* the other has caught up */
    rig_expect(fds[3], "x\n");
    rig_stop(&rig);
    board_close(&other);
}
END_TEST

START_TEST(takes_more_when_nobody_else_watches)
{
    int fds[40];
    start(1, MANY, _i);
    board_set_serving(&rig.master, 1, true); /* it has no room, say, or hangs */
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < 40; i++) {
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], "echo x\n");
    }
    for (int i = 0; i < 40; i++)
        rig_expect(fds[i], "x\n");
    ck_assert(!board_has_share(&rig.board));
    rig_stop(&rig);
}
END_TEST

/* What another worker writes there cannot keep this one from accepting for good. */
START_TEST(goes_on_though_the_board_lies)
{
    struct board other;
    int fds[40];
    start(1, MANY, _i);
    ck_assert_int_eq(board_attach(&other, dup(rig.master.fd), 1), 0);
    board_set(&other.own_share->watching, 1); /* it neither watches nor takes any */
    board_set_serving(&rig.master, 1, true);
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < 40; i++) {
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], "echo x\n");
    }
    for (int i = 0; i < 40; i++)
        rig_expect(fds[i], "x\n");
    ck_assert(!board_has_share(&rig.board));
    rig_stop(&rig);
    board_close(&other);
}
END_TEST

static int highest_fd(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

START_TEST(no_descriptor_left)
{
    enum { CLIENTS = 8 };
    int fds[CLIENTS];
    struct rlimit limit, low;
    start(1, MANY, _i);
    for (int i = 0; i < CLIENTS; i++) { /* into the backlog */
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], "echo x\n");
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)highest_fd() + 2; /* two more can be opened */
    setrlimit(RLIMIT_NOFILE, &low);
    rig_command(&rig, LOOP_SERVE);
    rig_expect(fds[0], "x\n");
    rig_expect(fds[1], "x\n");
    rig_expect_silence(fds[2]);
    ck_assert_uint_eq(rig_open(&rig), 2);
    close(fds[0]); /* room for one, and when the server's end is closed for one more */
    rig_expect(fds[2], "x\n");
    rig_expect(fds[3], "x\n");
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 4; i < CLIENTS; i++)
        rig_expect(fds[i], "x\n");
    rig_stop(&rig);
}
END_TEST

static int lines_of(int log, const char *tag)
{
    char text[4096];
    ssize_t n = pread(log, text, sizeof text - 1, 0);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    int count = 0;
    for (const char *at = strstr(text, tag); at; at = strstr(at + 1, tag))
        count++;
    return count;
}

/* Nobody comes any more: that it is over is said all the same. */
START_TEST(last_descriptor_taken_by_the_last_client)
{
    int fds[2], log = memfd_create("log", MFD_CLOEXEC);
    struct rlimit limit, low;
    log_open(log, LOG_TEXT);
    start(1, MANY, _i);
    for (int i = 0; i < 2; i++)
        fds[i] = rig_connect(&rig, 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)highest_fd() + 2;
    setrlimit(RLIMIT_NOFILE, &low);
    rig_command(&rig, LOOP_SERVE);
    rig_until(lines_of(log, "accept-paused"));
    ck_assert_int_eq(lines_of(log, "accept-resumed"), 0);
    close(fds[0]);
    rig_until(lines_of(log, "accept-resumed"));
    ck_assert_int_eq(lines_of(log, "accept-paused"), 1);
    setrlimit(RLIMIT_NOFILE, &limit);
    rig_stop(&rig);
    log_open(STDERR_FILENO, LOG_TEXT);
}
END_TEST

UNIT_MAIN("accept", TIMES(rests_and_goes_on, 4), TIMES(rests_from_all_but_one, 4),
                 EACH(one_connection_a_loop, rig_waits),
          EACH(gate_goes_round, rig_waits),
          EACH(full_loop_stops_and_goes_on, rig_waits),
          EACH(leaves_what_is_beyond_its_share, rig_waits),
          EACH(takes_more_when_nobody_else_watches, rig_waits),
          EACH(goes_on_though_the_board_lies, rig_waits), EACH(no_descriptor_left, rig_waits),
          EACH(last_descriptor_taken_by_the_last_client, rig_waits))
