/* Who takes connections, and when: one-connection loops behind the gate, shares between workers, no
 * descriptors left. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/accept-private.h"
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

/* Lets the process open so many more; what it could before. */
static struct rlimit leave(int more)
{
    struct rlimit limit, low;
    int number = 0;
    for (; more > 0; number++)
        more -= fcntl(number, F_GETFD) < 0; /* there may be some in between that are taken */
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)number;
    setrlimit(RLIMIT_NOFILE, &low);
    return limit;
}

static int open_as_many_as_it_gets(int *fds, int most)
{
    int count = 0;
    while (count < most && (fds[count] = dup(0)) >= 0)
        count++;
    return count;
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

START_TEST(no_descriptor_left)
{
    enum { CLIENTS = 8 };
    int fds[CLIENTS], last;
    struct rlimit limit;
    start(1, MANY, _i);
    for (int i = 0; i < CLIENTS; i++) { /* into the backlog */
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], "echo x\n");
    }
    limit = leave(2); /* one for a connection, and one is kept */
    rig_command(&rig, LOOP_SERVE);
    rig_expect(fds[0], "x\n");
    rig_expect_silence(fds[1]);
    ck_assert_int_ge(last = dup(0), 0);
    rig_put(fds[0], "echo still\n");
    rig_expect(fds[0], "still\n");
    for (int i = 1; i < 4; i++) {
        shutdown(fds[i - 1], SHUT_RDWR); /* the server's end becomes free, this one does not */
        rig_expect(fds[i], "x\n");
        rig_expect_silence(fds[i + 1]);
        ck_assert_uint_eq(rig_open(&rig), 1);
    }
    close(last);
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

/* As many for those who are served as there are of them. */
START_TEST(last_descriptors_are_kept)
{
    enum { SERVED = 20, LEFT = 20, CLIENTS = SERVED + LEFT };
    int fds[CLIENTS], files[CLIENTS];
    struct rlimit limit;
    start(1, MANY, _i);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], "echo x\n");
    }
    limit = leave(40);
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < SERVED; i++)
        rig_expect(fds[i], "x\n");
    rig_expect_silence(fds[SERVED]);
    ck_assert_int_eq(open_as_many_as_it_gets(files, CLIENTS), LEFT);
    close_all(files, LEFT);
    for (int i = 0; i < 3; i++) { /* not one of the reserve more, however many come and go */
        shutdown(fds[i], SHUT_RDWR); /* this end keeps its number */
        rig_expect(fds[SERVED + i], "x\n");
        rig_expect_silence(fds[SERVED + i + 1]);
    }
    ck_assert_int_eq(open_as_many_as_it_gets(files, CLIENTS), LEFT);
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = SERVED + 3; i < CLIENTS; i++)
        rig_expect(fds[i], "x\n");
    rig_stop(&rig);
}
END_TEST

/* Nothing else would ever set a descriptor free. */
START_TEST(one_is_served_of_the_reserve_alone)
{
    enum { MORE = 40 };
    int first, second, files[MORE + 1];
    struct rlimit limit;
    start(1, MANY, _i);
    limit = leave(MORE);
    rig_command(&rig, LOOP_SERVE);
    first = rig_connect(&rig, 0);
    rig_put(first, "quit\n");
    rig_expect(first, "bye\n");
    rig_expect_end(first);
    close(first);
    rig_until(rig_open(&rig) == 0);
    ck_assert_int_eq(open_as_many_as_it_gets(files, MORE + 1), MORE);
    close_all(files + MORE - 4, 4); /* none but these: they are of the reserve */
    first = rig_connect(&rig, 0);
    rig_put(first, "echo first\n");
    rig_expect(first, "first\n");
    second = rig_connect(&rig, 0);
    rig_put(second, "echo second\n");
    rig_expect_silence(second);
    rig_put(first, "quit\n");
    rig_expect(first, "bye\n");
    rig_expect_end(first);
    rig_expect(second, "second\n");
    setrlimit(RLIMIT_NOFILE, &limit);
    rig_stop(&rig);
}
END_TEST

/* Nobody comes any more: that it is over is said all the same. */
START_TEST(last_descriptor_taken_by_the_last_client)
{
    int fds[2], log = memfd_create("log", MFD_CLOEXEC);
    struct rlimit limit;
    log_open(log, LOG_TEXT);
    start(1, MANY, _i);
    for (int i = 0; i < 2; i++)
        fds[i] = rig_connect(&rig, 0);
    limit = leave(2);
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

/* Twice as long each time that it has waited in vain, not each time that a connection is closed. */
START_TEST(pauses_are_ever_longer)
{
    static const int64_t expected[] = {10, 20, 40, 80, 100, 100};
    static struct loop loop;
    struct board_share share = {0};
    struct board board = {.own_share = &share};
    struct engine engine = {.board = &board};
    struct listener listener = {.address = "here"};
    int log = memfd_create("log", MFD_CLOEXEC);
    log_open(log, LOG_TEXT);
    clock_refresh();
    loop = (struct loop){.engine = &engine, .in_hand.fd = -1};
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 3; i++) {
            errno = EMFILE;
            accept_starve(&loop, &listener, ACCEPT_STARVED);
            ck_assert_int_eq(loop.accept.delay, 5);
        }
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
            accept_starve_longer(&loop);
            errno = ENFILE;
            accept_starve(&loop, &listener, ACCEPT_STARVED);
            ck_assert_int_eq(loop.accept.delay, expected[i]);
        }
        if (turn == 0)
            accept_taken(&loop);
        else
            accept_recovered(&loop, &listener);
        ck_assert_int_eq(loop.accept.starved, 0);
    }
    errno = EMFILE;
    accept_starve(&loop, &listener, ACCEPT_STARVED); /* again, in the same second */
    accept_recovered(&loop, &listener);
    ck_assert_int_eq(lines_of(log, "accept-paused"), 1);
    ck_assert_int_eq(lines_of(log, "accept-resumed"), 1);
    log_open(STDERR_FILENO, LOG_TEXT);
}
END_TEST

UNIT_MAIN("accept", ONCE(pauses_are_ever_longer), TIMES(rests_and_goes_on, 4),
          TIMES(rests_from_all_but_one, 4), EACH(one_connection_a_loop, rig_waits),
          EACH(gate_goes_round, rig_waits),
          EACH(full_loop_stops_and_goes_on, rig_waits),
          EACH(leaves_what_is_beyond_its_share, rig_waits),
          EACH(takes_more_when_nobody_else_watches, rig_waits),
          EACH(goes_on_though_the_board_lies, rig_waits), EACH(no_descriptor_left, rig_waits),
          EACH(last_descriptors_are_kept, rig_waits),
          EACH(one_is_served_of_the_reserve_alone, rig_waits),
          EACH(last_descriptor_taken_by_the_last_client, rig_waits))
