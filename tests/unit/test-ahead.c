/* Files that are not in memory: told so by a stand-in for the kernel, they are read by a job first.
 * The pool has one thread, which a job of another connection holds up for as long as a test wants.
 * Each test runs with both ways to wait. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "talk.h"
#include "unit.h"

#define SIZE 3000000

static struct rig rig;
static atomic_int cold;     /* so many questions are answered by "on the disk" */
static atomic_int every;    /* or every so many-th; 0: none besides */
static atomic_int asked, turns;
static int holder; /* the client whose job holds up the pool */

static ssize_t in_memory(int fd, off_t offset, size_t length)
{
    int number = atomic_fetch_add(&asked, 1);
    ck_assert_int_eq(fd, talk_file);
    ck_assert_int_ge(offset, 0);
    ck_assert_uint_gt(length, 0);
    if (atomic_load(&every))
        return number % atomic_load(&every) ? (ssize_t)(length + 1) / 2 : 0;
    if (atomic_load(&cold) <= 0)
        return (ssize_t)length;
    atomic_fetch_sub(&cold, 1);
    return 0;
}

static bool turned(int events)
{
    (void)events;
    atomic_fetch_add(&turns, 1);
    return false;
}

static void start(int row, int pool_threads)
{
    char *bytes = malloc(SIZE);
    talk_file = memfd_create("test", MFD_CLOEXEC);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = talk_byte(i);
    ck_assert_int_eq(write(talk_file, bytes, SIZE), SIZE);
    free(bytes);
    rig.protocol = &talk;
    rig.wait = rig_waits[row];
    rig.pool_threads = pool_threads;
    rig.in_memory = in_memory;
    rig.turn_end = turned;
    rig_start(&rig);
    rig_command(&rig, LOOP_SERVE);
}

/* Its one thread will be busy until let_pool_go(). */
static void hold_pool(int row)
{
    start(row, 1);
    holder = rig_connect(&rig, 0);
    rig_put(holder, "job\n");
    rig_until(atomic_load(&talk_counts.started) == 1);
}

static void let_pool_go(void)
{
    talk_release(1);
    rig_expect(holder, "done\n");
    close(holder);
}

static int ask(const char *text)
{
    int fd = rig_connect(&rig, 0);
    rig_put(fd, text);
    return fd;
}

/* Its file is asked for, and cold. */
static int ask_cold(const char *text)
{
    atomic_store(&cold, 1);
    int fd = ask(text);
    rig_until(atomic_load(&asked) == 1);
    return fd;
}

static void expect_file(int fd, size_t length)
{
    char chunk[65536];
    for (size_t at = 0; at < length;) {
        size_t want = length - at < sizeof chunk ? length - at : sizeof chunk;
        ssize_t n = recv(fd, chunk, want, 0);
        ck_assert_msg(n > 0, "%s at %zu", n < 0 ? strerror(errno) : "the end", at);
        for (ssize_t i = 0; i < n; i++)
            if (chunk[i] != talk_byte(at + (size_t)i))
                ck_abort_msg("wrong byte at %zu", at + (size_t)i);
        at += (size_t)n;
    }
}

START_TEST(others_are_served_meanwhile)
{
    hold_pool(_i);
    int slow = ask_cold("echo before\nfile 300000\necho behind\n");
    rig_expect(slow, "before\n");
    int quick = ask("echo quick\n");
    rig_expect(quick, "quick\n");
    rig_expect_silence(slow);
    let_pool_go();
    expect_file(slow, 300000);
    rig_expect(slow, "behind\n");
    ck_assert_int_eq(atomic_load(&talk_counts.released), 1);
    close(slow);
    close(quick);
    rig_stop(&rig);
}
END_TEST

/* The wait costs no turns, whatever the client does that the loop cannot act upon. */
START_TEST(waits_without_spinning)
{
    hold_pool(_i);
    int fd = ask_cold("file 3000000\n");
    rig_expect_silence(fd);
    shutdown(fd, SHUT_WR);
    rig_expect_silence(fd);
    int before = atomic_load(&turns);
    rig_expect_silence(fd);
    ck_assert_int_lt(atomic_load(&turns) - before, 100);
    let_pool_go();
    expect_file(fd, 3000000);
    rig_expect(fd, "end\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(goes_on_after_the_protocol_is_through)
{
    hold_pool(_i);
    int fd = ask_cold("file 3000000\nquit\n");
    rig_expect_silence(fd);
    let_pool_go();
    expect_file(fd, 3000000);
    rig_expect(fd, "bye\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

/* The protocol waits for its own job: that of the engine makes no step. */
START_TEST(is_no_job_of_the_protocol)
{
    hold_pool(_i);
    int fd = ask_cold("file 1000\n");
    rig_put(fd, "job\n");
    rig_until(atomic_load(&talk_counts.submitted) == 2);
    int steps = atomic_load(&talk_counts.steps);
    rig_expect_silence(fd);
    talk_release(1); /* the holder's: it gets no step before its client says something */
    rig_expect(holder, "done\n");
    expect_file(fd, 1000);
    rig_expect_silence(fd);
    ck_assert_int_eq(atomic_load(&talk_counts.steps), steps + 1); /* the holder's, after its job */
    talk_release(1);
    rig_expect(fd, "done\n");
    close(fd);
    close(holder);
    rig_stop(&rig);
}
END_TEST

/* In every state in which the client may go, the file is kept until the job is back. */
static const char *const goes_in[] = {"file 1000\n", "file 1000\nquit\n", "file 1000\njob\n"};

static void client_goes(int row, const char *text)
{
    hold_pool(row);
    int fd = ask_cold(text);
    rig_expect_silence(fd);
    rig_reset(fd);
    rig_until(rig_open(&rig) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0); /* a zombie */
    ck_assert_int_eq(atomic_load(&talk_counts.released), 0);
    let_pool_go();
    rig_until(atomic_load(&talk_counts.closed) == 2);
    ck_assert_int_eq(atomic_load(&talk_counts.released), 1);
    rig_stop(&rig);
}

START_TEST(client_goes_with_epoll)
{
    client_goes(0, goes_in[_i]);
}
END_TEST

START_TEST(client_goes_with_poll)
{
    client_goes(1, goes_in[_i]);
}
END_TEST

START_TEST(stop_waits_for_it)
{
    hold_pool(_i);
    int fd = ask_cold("file 1000\n");
    rig_command(&rig, LOOP_STOP);
    rig_expect_over(fd);
    rig_expect_over(holder);
    ck_assert_int_eq(atomic_load(&talk_counts.released), 0);
    talk_release(1);
    rig_end(&rig);
    ck_assert_int_eq(atomic_load(&talk_counts.released), 1);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 2);
}
END_TEST

/* It is the disk that is waited for, not the client. */
START_TEST(time_to_read_stands_still)
{
    rig.send_timeout = 1000;
    rig.send_rate = 1 << 30; /* what the client takes gives back next to nothing */
    rig.send_buffer = 16384;
    hold_pool(_i);
    int fd = ask_cold("file 1000000\n");
    for (int i = 0; i < 11; i++)
        rig_expect_silence(fd);
    let_pool_go();
    expect_file(fd, 1000000);
    close(fd);
    rig_stop(&rig);
}
END_TEST

/* ... but goes on when the file is there. */
START_TEST(deaf_client_is_cut)
{
    rig.send_timeout = 100;
    rig.send_buffer = 16384;
    start(_i, 1);
    int fd = ask_cold("file 3000000\n");
    rig_until(rig_open(&rig) == 0);
    rig_until(atomic_load(&talk_counts.released) == 1);
    close(fd);
    rig_stop(&rig);
}
END_TEST

/* What a slow client leaves for long may be gone from memory: it is asked for again. */
START_TEST(warm_for_a_second)
{
    rig.send_buffer = 16384;
    start(_i, 1);
    int fd = ask("file 3000000\n");
    rig_until(atomic_load(&asked) == 1); /* as much as may go in a turn, far more than will */
    for (int i = 0; i < 12; i++)
        poll(NULL, 0, 100);
    expect_file(fd, 500000);
    rig_until(atomic_load(&asked) >= 2);
    close(fd);
    rig_until(atomic_load(&talk_counts.closed) == 1);
    rig_stop(&rig);
}
END_TEST

START_TEST(full_queue)
{
    start(_i, 1);
    atomic_store(&rig.refusals, 3);
    int fd = ask_cold("file 3000000\n");
    expect_file(fd, 3000000);
    ck_assert_int_eq(atomic_load(&rig.refusals), 0);
    atomic_store(&rig.refusals, 1000000);
    atomic_store(&cold, 1);
    rig_put(fd, "file 10\nquit\n");
    rig_until(atomic_load(&rig.refusals) < 1000000 - 1); /* again and again */
    rig_reset(fd);
    rig_until(atomic_load(&talk_counts.closed) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.released), 2);
    rig_stop(&rig);
}
END_TEST

/* A loop leaves room in the queue for the protocols' jobs. */
START_TEST(more_than_a_loop_may_submit)
{
    enum { CLIENTS = 150, MOST = 128 };
    int fds[CLIENTS];
    hold_pool(_i);
    atomic_store(&cold, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = ask("file 1000\nquit\n");
    rig_until(atomic_load(&asked) == CLIENTS);
    ck_assert_int_eq(atomic_load(&rig.jobs), 1 + MOST);
    let_pool_go();
    for (int i = 0; i < CLIENTS; i++) {
        expect_file(fds[i], 1000);
        rig_expect(fds[i], "bye\n");
        rig_expect_end(fds[i]);
    }
    ck_assert_int_eq(atomic_load(&rig.jobs), 1 + CLIENTS);
    rig_stop(&rig);
}
END_TEST

START_TEST(no_question_without_a_pool)
{
    start(_i, 0);
    atomic_store(&cold, 1);
    int fd = ask("file 3000000\nquit\n");
    expect_file(fd, 3000000);
    rig_expect(fd, "bye\n");
    rig_expect_end(fd);
    ck_assert_int_eq(atomic_load(&asked), 0);
    rig_stop(&rig);
}
END_TEST

START_TEST(many_at_once)
{
    enum { CLIENTS = 30 };
    int fds[CLIENTS];
    rig.loop_count = 3;
    start(_i, RIG_POOL);
    atomic_store(&every, 3);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CLIENTS; i++)
            fds[i] = ask("file 1000000\nquit\n");
        for (int i = 0; i < CLIENTS; i++) {
            if (i % 5 == 4) {
                rig_reset(fds[i]);
                continue;
            }
            expect_file(fds[i], 1000000);
            rig_expect(fds[i], "bye\n");
            rig_expect_end(fds[i]);
        }
    }
    rig_until(atomic_load(&talk_counts.closed) == atomic_load(&talk_counts.opened));
    rig_stop(&rig);
}
END_TEST

/* ------------------------------------------------------------------- the kernel's word --- */

/* A file of the folder that the test runs in. */
static int real_file(void)
{
    static const char bytes[300000];
    char name[] = "test-ahead-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(write(fd, bytes, sizeof bytes), sizeof bytes);
    return fd;
}

START_TEST(the_kernel_is_asked)
{
    int fd = real_file(), none = memfd_create("test", MFD_CLOEXEC);
    ssize_t told = ahead_in_memory(fd, 0, 300000);
    ck_assert_msg(told == 300000 || told == -1, "just written, and not in memory"); /* -1: tmpfs */
    /* Behind the end there is nothing to wait for. */
    ck_assert_int_eq(ahead_in_memory(fd, 1 << 20, 10), told < 0 ? -1 : 10);
    ck_assert_int_ne(ahead_in_memory(none, 0, 10), 0);
    close(none);
    ck_assert_int_eq(ahead_in_memory(none, 0, 10), -1); /* an error is no "on the disk" */
    close(fd);
}
END_TEST

UNIT_MAIN("ahead", EACH(others_are_served_meanwhile, rig_waits),
          EACH(waits_without_spinning, rig_waits),
          EACH(goes_on_after_the_protocol_is_through, rig_waits),
          EACH(is_no_job_of_the_protocol, rig_waits), EACH(client_goes_with_epoll, goes_in),
          EACH(client_goes_with_poll, goes_in), EACH(stop_waits_for_it, rig_waits),
          EACH(time_to_read_stands_still, rig_waits), EACH(deaf_client_is_cut, rig_waits),
          EACH(warm_for_a_second, rig_waits), EACH(full_queue, rig_waits),
          EACH(more_than_a_loop_may_submit, rig_waits),
          EACH(no_question_without_a_pool, rig_waits),
          EACH(many_at_once, rig_waits), ONCE(the_kernel_is_asked))
