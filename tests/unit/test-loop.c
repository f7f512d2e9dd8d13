/* The life of loops: serve, drain, stop. */
#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "talk.h"
#include "unit.h"

static struct rig rig;

static const struct {
    int loops, connections;
    enum wait_kind wait;
} rows[] = {
    {1, MANY, WAIT_EPOLL},
    {1, MANY, WAIT_POLL},
    {4, 1, WAIT_POLL},
};

static void start(int row)
{
    rig.protocol = &talk;
    rig.loop_count = rows[row].loops;
    rig.connections = rows[row].connections;
    rig.wait = rows[row].wait;
    rig_start(&rig);
}

static int ask(int listener, const char *text, const char *answer)
{
    int fd = rig_connect(&rig, listener);
    rig_put(fd, text);
    rig_expect(fd, answer);
    return fd;
}

START_TEST(nothing_before_serve)
{
    start(_i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "echo x\n");
    rig_expect_silence(fd);
    rig_command(&rig, LOOP_SERVE);
    rig_expect(fd, "x\n");
    close(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(drains_when_empty)
{
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    rig_command(&rig, LOOP_DRAIN);
    rig_end(&rig);
}
END_TEST

START_TEST(drains_idle_and_busy)
{
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int idle = ask(0, "echo x\n", "x\n");
    int busy = ask(0, "busy\n", "ok\n");
    rig_command(&rig, LOOP_DRAIN);
    rig_expect(idle, "drained\n");
    rig_expect_end(idle);
    rig_until(atomic_load(&rig.quiet) == rig.loop_count);
    rig_until(rig_open(&rig) == 1);
    int late = rig_connect(&rig, 0); /* for those who serve next: nobody here takes it */
    rig_put(late, "echo x\n");
    rig_expect_silence(late);
    rig_put(busy, "echo y\nidle\n");
    rig_expect(busy, "y\ndrained\n");
    rig_expect_end(busy);
    rig_end(&rig);
    close(late);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 2);
}
END_TEST

START_TEST(idle_ones_may_ask_once_more)
{
    rig.drain_linger = 60000;
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int idle = ask(0, "echo x\n", "x\n");
    rig_command(&rig, LOOP_DRAIN);
    rig_until(atomic_load(&rig.quiet) == rig.loop_count);
    rig_put(idle, "echo y\nidle\n");
    rig_expect(idle, "y\ndrained\n");
    rig_expect_end(idle);
    rig_end(&rig);
}
END_TEST

START_TEST(linger_of_idle_ones_ends)
{
    rig.drain_linger = 50;
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int idle = ask(0, "echo x\n", "x\n");
    rig_command(&rig, LOOP_DRAIN);
    rig_expect(idle, "drained\n");
    rig_expect_end(idle);
    rig_end(&rig);
}
END_TEST

/* A loop without room cannot look into the removed listener's backlog before its idle connection
 * has been closed: that must wake it, for nothing else will. */
START_TEST(removed_listener_waits_for_the_idle_ones)
{
    int fds[4];
    rig.drain_linger = 50;
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < 4; i++)
        fds[i] = ask(0, "echo x\n", "x\n");
    atomic_store(&rig.listeners[1].removed, true);
    rig_command(&rig, LOOP_DRAIN);
    rig_until(atomic_load(&rig.quiet) == rig.loop_count); /* nobody has heard of us since */
    for (int i = 0; i < 4; i++) {
        rig_expect(fds[i], "drained\n");
        rig_expect_end(fds[i]);
    }
    rig_end(&rig);
}
END_TEST

START_TEST(empties_the_backlog_of_a_removed_listener)
{
    enum { CLIENTS = 30 };
    int fds[CLIENTS];
    rig.drain_linger = 60000;
    start(_i);
    int other = rig_connect(&rig, 0);
    rig_put(other, "echo x\n");
    for (int i = 0; i < CLIENTS; i++) { /* nobody has accepted yet */
        fds[i] = rig_connect(&rig, 1);
        rig_put(fds[i], "echo x\nidle\n");
    }
    atomic_store(&rig.listeners[1].removed, true);
    rig_command(&rig, LOOP_DRAIN);
    for (int i = 0; i < CLIENTS; i++) {
        rig_expect(fds[i], "x\ndrained\n");
        rig_expect_end(fds[i]);
    }
    rig_until(atomic_load(&rig.quiet) == rig.loop_count);
    rig_expect_silence(other); /* stays in the backlog of the listener that lives on */
    rig_end(&rig);
    close(other);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), CLIENTS);
}
END_TEST

START_TEST(drain_in_the_middle_of_an_answer)
{
    rig.send_buffer = 16384;
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int fd = ask(0, "big 300000\n", "abcdefghijklmnopqrstuvwxyz");
    rig_command(&rig, LOOP_DRAIN);
    rig_until(atomic_load(&rig.quiet) == rig.loop_count);
    size_t left = 300000 - 26;
    char chunk[4096];
    while (left) {
        ssize_t n = recv(fd, chunk, left < sizeof chunk ? left : sizeof chunk, 0);
        if (n <= 0)
            break;
        left -= (size_t)n;
    }
    /* The test protocol closes at once; what was queued is still sent to the last byte. */
    ck_assert_uint_gt(300000 - left, 65536);
    close(fd);
    rig_end(&rig);
}
END_TEST

START_TEST(stop_closes_all)
{
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int one = ask(0, "busy\n", "ok\n"), two = ask(0, "echo x\n", "x\n");
    rig_command(&rig, LOOP_STOP);
    rig_end(&rig);
    rig_expect_over(one);
    rig_expect_over(two);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 2);
}
END_TEST

START_TEST(stop_ends_a_drain)
{
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int busy = ask(0, "busy\n", "ok\n");
    rig_command(&rig, LOOP_DRAIN);
    rig_until(atomic_load(&rig.quiet) == rig.loop_count);
    rig_command(&rig, LOOP_STOP);
    rig_end(&rig);
    rig_expect_over(busy);
}
END_TEST

START_TEST(record_shows_the_request)
{
    start(_i);
    rig_command(&rig, LOOP_SERVE);
    int fd = ask(0, "busy\n", "ok\n");
    /* As the master reads it, which has no lock with the worker's threads either. */
    const struct board_segment *segment = board_segment_map(&rig.master, 0);
    const struct board_thread *record = segment->thread;
    while (!board_get(&record->accepted))
        record++;
    ck_assert_uint_eq(board_get(&record->requests), 1);
    ck_assert_str_eq(record->protocol, "test");
    ck_assert_str_eq(record->label, "busy");
    /* A loop of many turns to others; a loop of one is busy until the request is over. */
    rig_until(board_get(&record->state) ==
              (rows[_i].connections == 1 ? BOARD_BUSY : BOARD_WAITING));
    rig_put(fd, "idle\n");
    rig_expect(fd, "ok\n");
    rig_until(board_get(&record->state) == BOARD_WAITING);
    board_segment_unmap(segment);
    close(fd);
    rig_stop(&rig);
}
END_TEST

UNIT_MAIN("loop", EACH(nothing_before_serve, rows), EACH(drains_when_empty, rows),
          EACH(drains_idle_and_busy, rows), EACH(idle_ones_may_ask_once_more, rows),
          EACH(linger_of_idle_ones_ends, rows),
          EACH(removed_listener_waits_for_the_idle_ones, rows),
          EACH(empties_the_backlog_of_a_removed_listener, rows),
          EACH(drain_in_the_middle_of_an_answer, rows), EACH(stop_closes_all, rows),
          EACH(stop_ends_a_drain, rows), EACH(record_shows_the_request, rows))
