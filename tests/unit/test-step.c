/* Running protocols over real connections: input whole and dripped, pipelining, ends, deadlines,
 * back-pressure. Each test runs with both ways to wait. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop-private.h"
#include "rig.h"
#include "talk.h"
#include "unit.h"

static struct rig rig;

static void start(const reeve_protocol *protocol, int row)
{
    rig.protocol = protocol;
    rig.wait = rig_waits[row];
    rig_start(&rig);
    rig_command(&rig, LOOP_SERVE);
}

START_TEST(whole_and_dripped)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "echo one\n");
    rig_expect(fd, "one\n");
    rig_put_slowly(fd, "echo two\necho three\n");
    rig_expect(fd, "two\nthree\n");
    rig_put(fd, "quit\n");
    rig_expect(fd, "bye\n");
    rig_expect_end(fd);
    rig_until(atomic_load(&talk_counts.closed) == 1);
    rig_stop(&rig);
}
END_TEST

START_TEST(pipelined)
{
    char text[8 * 500 + 1] = "", answer[3 * 500 + 1] = "";
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    for (int i = 0; i < 500; i++) {
        strcat(text, "echo ab\n");
        strcat(answer, "ab\n");
    }
    rig_put(fd, text);
    rig_expect(fd, answer);
    rig_put(fd, "echo x\necho"); /* and a piece */
    rig_expect(fd, "x\n");
    rig_put(fd, " y\nquit\n");
    rig_expect(fd, "y\nbye\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(greeting)
{
    start(&talk_greeting, _i);
    int fd = rig_connect(&rig, 0);
    rig_expect(fd, "hello 127.0.0.1\n");
    rig_put(fd, "echo z\n");
    rig_expect(fd, "z\n");
    close(fd);
    rig_until(rig_open(&rig) == 0);
    rig_stop(&rig);
}
END_TEST

START_TEST(half_close)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "echo a\necho b\necho unfinished");
    shutdown(fd, SHUT_WR);
    rig_expect(fd, "a\nb\nend\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(lingers_for_unread_input)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "quit\necho never read\n");
    rig_put(fd, "echo nor this\n");
    rig_expect(fd, "bye\n");
    rig_put(fd, "echo nor that\n"); /* into the lingering connection: no reset */
    char byte;
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    ck_assert_uint_eq(rig_open(&rig), 1);
    close(fd);
    rig_until(rig_open(&rig) == 0);
    rig_stop(&rig);
}
END_TEST

START_TEST(linger_ends)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "quit\nmore");
    rig_expect(fd, "bye\n");
    rig_until(rig_open(&rig) == 0); /* though the client never closes */
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(error_loses_output)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "error\n");
    rig_expect_over(fd);
    fd = rig_connect(&rig, 0);
    rig_put(fd, "hang\n"); /* a protocol's bug costs its connection, no more */
    rig_expect_over(fd);
    rig_until(atomic_load(&talk_counts.closed) == 2);
    rig_stop(&rig);
}
END_TEST

START_TEST(input_overflow)
{
    static char text[2001];
    start(&talk, _i);
    memset(text, 'x', 2000);
    int fd = rig_connect(&rig, 0);
    for (int i = 0; i < 40; i++) /* the server may close before the last */
        send(fd, text, 2000, MSG_NOSIGNAL);
    rig_expect_over(fd);
    rig_until(rig_open(&rig) == 0);
    rig_stop(&rig);
}
END_TEST

START_TEST(deadline)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "deadline 100000\ndeadline 30\n"); /* to an earlier time */
    rig_expect(fd, "ok\nok\nexpired\n");
    rig_expect_end(fd);
    fd = rig_connect(&rig, 0);
    rig_put(fd, "deadline 30\ndeadline 0\n");
    rig_expect(fd, "ok\nok\n");
    rig_expect_silence(fd);
    rig_put(fd, "quit\n");
    rig_expect(fd, "bye\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

/* With nothing to go on with it is a deadline; with more input it is nothing. */
START_TEST(pause_between_requests)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "pause 30\n");
    rig_expect(fd, "pauses\nexpired\n");
    rig_expect_end(fd);
    fd = rig_connect(&rig, 0);
    rig_put(fd, "pause 30\necho x\n");
    rig_expect(fd, "goes on\nx\n");
    rig_expect_silence(fd);
    rig_put(fd, "quit\n");
    rig_expect(fd, "bye\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

/* Neither more input nor its end cuts the wait short. */
START_TEST(deadline_alone)
{
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "deadline 30\nhang\necho x\n");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    rig_expect(fd, "ok\nexpired\n");
    rig_expect_over(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(deadline_without_hook)
{
    start(&talk_bare, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "deadline 30\n");
    rig_expect(fd, "ok\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

static void expect_pattern(int fd, size_t length)
{
    static char chunk[65536];
    for (size_t at = 0; at < length;) {
        size_t want = length - at < sizeof chunk ? length - at : sizeof chunk;
        ssize_t n = recv(fd, chunk, want, 0);
        ck_assert_int_gt(n, 0);
        for (ssize_t i = 0; i < n; i++)
            if (chunk[i] != talk_byte(at + (size_t)i))
                ck_abort_msg("wrong byte at %zu", at + (size_t)i);
        at += (size_t)n;
    }
}

START_TEST(generator_waits_for_the_reader)
{
    rig.send_buffer = 16384;
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "big 2000000\necho after\n");
    expect_pattern(fd, 2000000);
    rig_expect(fd, "after\n");
    ck_assert_uint_le(atomic_load(&talk_counts.most_queued), 65536 + 5000);
    ck_assert_uint_gt(atomic_load(&talk_counts.most_queued), 16384);
    close(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(send_timeout)
{
    rig.send_buffer = 16384;
    rig.send_timeout = 100;
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "deadline 1\nbig 20000000\n"); /* the protocol's deadline stands still meanwhile */
    rig_expect(fd, "ok\nabc");
    rig_until(rig_open(&rig) == 0);
    close(fd);
    rig_stop(&rig);
}
END_TEST

static const struct {
    int64_t rate, before, now;
    size_t sent;
    int64_t after;
} send_deadlines[] = { /* send_timeout is 30 s */
    {0, 30000, 29000, 1, 59000},         /* no rate: any byte gives all the time back */
    {512, 30000, 0, 1, 30000},           /* never more than it had at first */
    {512, 30000, 29000, 1, 30002},       /* a byte is worth two milliseconds, rounded up */
    {512, 30000, 29000, 512, 31000},     /* and 512 a second */
    {512, 30000, 29000, 14336, 58000},
    {512, 30000, 29000, 14848, 59000},   /* 29 s used, 29 s back */
    {512, 30000, 29000, 1 << 20, 59000}, /* quickness is not saved up */
    {1 << 30, 30000, 29000, 1 << 20, 30001},
};

START_TEST(send_deadline)
{
    struct engine engine = {.send_timeout = 30000, .send_rate = send_deadlines[_i].rate};
    ck_assert_int_eq(flush_deadline(&engine, send_deadlines[_i].before, send_deadlines[_i].now,
                                        send_deadlines[_i].sent),
                     send_deadlines[_i].after);
}
END_TEST

/* It reads all the time, but not so much as a gigabyte a second. */
START_TEST(send_rate)
{
    char chunk[1024];
    size_t got = 0;
    rig.send_buffer = 16384;
    rig.send_timeout = 200;
    rig.send_rate = 1 << 30;
    rig.high_water = 1 << 25; /* all is queued at once: it is kept waiting until the end */
    start(&talk, _i);
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "big 20000000\n");
    for (ssize_t n; (n = recv(fd, chunk, sizeof chunk, 0)) > 0; got += (size_t)n)
        poll(NULL, 0, 1);
    ck_assert_uint_gt(got, 0);
    ck_assert_uint_lt(got, 20000000);
    rig_until(rig_open(&rig) == 0);
    close(fd);
    rig_stop(&rig);
}
END_TEST

/* ------------------------------------------------------------------- echo, both ways --- */

static atomic_size_t echo_most;

static reeve_verdict echo_step(reeve_conn *conn)
{
    size_t length;
    const char *input = reeve_input(conn, &length);
    if (reeve_send(conn, input, length) < 0)
        return REEVE_ERROR;
    reeve_consume(conn, length);
    if (reeve_queued(conn) > atomic_load(&echo_most))
        atomic_store(&echo_most, reeve_queued(conn));
    return reeve_at_end(conn) ? REEVE_CLOSE : REEVE_WANT_READ;
}

static const reeve_protocol echo = {.step = echo_step};

#define ECHOED ((size_t)64 << 20)

/* Writes until the server takes no more: back-pressure has reached the client. */
static size_t write_until_stuck(int fd, const char *chunk, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    size_t total = 0;
    while (poll(&wait, 1, 300) > 0) {
        ssize_t n = send(fd, chunk + total % 26, size - 26, MSG_NOSIGNAL | MSG_DONTWAIT);
        ck_assert_int_gt(n, 0);
        total += (size_t)n;
        ck_assert_uint_lt(total, ECHOED);
    }
    return total;
}

static void echo_rest(int fd, const char *chunk, size_t size, size_t written)
{
    static char got[30000];
    struct pollfd wait = {.fd = fd, .events = POLLIN | POLLOUT};
    for (size_t read = 0; read < ECHOED;) {
        ck_assert_int_gt(poll(&wait, 1, 20000), 0);
        if (wait.revents & POLLOUT) {
            size_t length = ECHOED - written < size - 26 ? ECHOED - written : size - 26;
            ssize_t n = send(fd, chunk + written % 26, length, MSG_NOSIGNAL | MSG_DONTWAIT);
            written += n > 0 ? (size_t)n : 0;
            if (written == ECHOED) {
                shutdown(fd, SHUT_WR);
                wait.events = POLLIN;
            }
        }
        ssize_t n = recv(fd, got, sizeof got, MSG_DONTWAIT);
        ck_assert(n > 0 || (n < 0 && errno == EAGAIN));
        if (n > 0) {
            ck_assert_mem_eq(got, chunk + read % 26, (size_t)n);
            read += (size_t)n;
        }
    }
}

START_TEST(echo_backpressure)
{
    static char chunk[65536];
    int small = 32768;
    start(&echo, _i);
    int fd = rig_connect(&rig, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (size_t i = 0; i < sizeof chunk; i++)
        chunk[i] = talk_byte(i);
    size_t stuck = write_until_stuck(fd, chunk, sizeof chunk);
    ck_assert_uint_le(atomic_load(&echo_most), 65536 + 65536);
    echo_rest(fd, chunk, sizeof chunk, stuck);
    rig_expect_end(fd);
    ck_assert_uint_le(atomic_load(&echo_most), 65536 + 65536);
    ck_assert_uint_eq(board_get(&rig.board.own->thread[0].bytes_in), ECHOED);
    ck_assert_uint_eq(board_get(&rig.board.own->thread[0].bytes_out), ECHOED);
    rig_stop(&rig);
}
END_TEST

START_TEST(many_connections)
{
    int fds[300];
    start(&talk, _i);
    for (int i = 0; i < 300; i++)
        fds[i] = rig_connect(&rig, i % 2);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++)
            rig_put(fds[i], "busy\nidle\n");
        for (int i = 0; i < 300; i++)
            rig_expect(fds[i], "ok\nok\n");
    }
    ck_assert_uint_eq(rig_open(&rig), 300);
    ck_assert_uint_eq(board_get(&rig.board.own->thread[0].requests), 900);
    ck_assert_uint_eq(board_get(&rig.board.own->thread[0].accepted), 300);
    for (int i = 0; i < 300; i++)
        close(fds[i]);
    rig_until(rig_open(&rig) == 0);
    rig_until(atomic_load(&talk_counts.closed) == 300);
    rig_stop(&rig);
}
END_TEST

UNIT_MAIN("step", EACH(whole_and_dripped, rig_waits), EACH(pipelined, rig_waits),
          EACH(greeting, rig_waits), EACH(half_close, rig_waits),
          EACH(lingers_for_unread_input, rig_waits), EACH(linger_ends, rig_waits),
          EACH(error_loses_output, rig_waits), EACH(input_overflow, rig_waits),
          EACH(deadline, rig_waits), EACH(pause_between_requests, rig_waits),
          EACH(deadline_alone, rig_waits),
          EACH(deadline_without_hook, rig_waits),
          EACH(generator_waits_for_the_reader, rig_waits), EACH(send_timeout, rig_waits),
          EACH(send_deadline, send_deadlines), EACH(send_rate, rig_waits),
          EACH(echo_backpressure, rig_waits), EACH(many_connections, rig_waits))
