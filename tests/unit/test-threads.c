/* A thread for each connection: what the board shows, the bound, threads that cannot be started,
 * drain and stop, and that units and their loops are used again.
 *
 * The rig's loop is the front; the linker puts __wrap_starter_thread in the place of
 * starter_thread, so that starting a thread can be made to fail. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "net/loop-private.h"
#include "rig.h"
#include "talk.h"
#include "unit.h"
#include "worker/starter.h"
#include "worker/threads.h"

#define FOR_EVER 1000000000
#define LONG 60000 /* ms: longer than any test */

static struct rig rig;
static struct threads *threads;
static atomic_int failures_left, failures, inits, exits, wakes, init_fails_at;
static int log_fd = -1;
static atomic_int resumed_early; /* lines that say so before a thread could be started again */
static atomic_bool started_again;

static int said(const char *word);

/* ---------------------------------------------------------------- stand-ins -------- */

int __real_starter_thread(pthread_t *thread, void *(*run)(void *), void *arg);
int __wrap_starter_thread(pthread_t *thread, void *(*run)(void *), void *arg);

int __wrap_starter_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    if (atomic_load(&failures) > 0 && !atomic_load(&started_again))
        atomic_fetch_add(&resumed_early, said("accept-resumed"));
    if (atomic_load(&failures_left) == 0) {
        atomic_store(&started_again, atomic_load(&failures) > 0);
        return __real_starter_thread(thread, run, arg);
    }
    atomic_fetch_sub(&failures_left, 1);
    atomic_fetch_add(&failures, 1);
    return EAGAIN;
}

static int launch(struct loop *loop, const struct accepted *accepted)
{
    return threads_launch(threads, loop, accepted);
}

static int on_init(void)
{
    return atomic_fetch_add(&inits, 1) + 1 == atomic_load(&init_fails_at) ? -1 : 0;
}

static void on_exit_of_thread(void)
{
    atomic_fetch_add(&exits, 1);
}

static void on_wake(void)
{
    atomic_fetch_add(&wakes, 1);
}

static void free_threads(void)
{
    rig_until(threads_are_done(threads)); /* the front has ended: none can be started any more */
    threads_free(&threads);
    ck_assert_ptr_null(threads);
}

/* ---------------------------------------------------------------- helpers ---------- */

static void start(int bound, int row)
{
    struct threads_settings settings = {
        .engine = &rig.engine,
        .wait = rig_waits[row],
        .thread_init = on_init,
        .thread_exit = on_exit_of_thread,
        .wake = on_wake,
    };

    log_fd = memfd_create("log", MFD_CLOEXEC);
    log_open(log_fd, LOG_TEXT);
    rig.protocol = &talk;
    rig.connections = bound;
    rig.wait = rig_waits[row];
    rig.launch = launch;
    rig.loops_joined = free_threads;
    rig_start(&rig);
    settings.segment = rig.board.own;
    threads = threads_new(&settings);
    ck_assert_ptr_nonnull(threads);
}

/* As the crew does it. */
static void command(enum loop_command what)
{
    if (what == LOOP_DRAIN)
        atomic_store(&rig.engine.draining, true);
    rig_command(&rig, what);
    threads_command(threads, what);
}

/* The front loop and all threads have been told to end. */
static void end(void)
{
    rig_end(&rig);
    ck_assert_int_eq(atomic_load(&talk_counts.opened), atomic_load(&talk_counts.closed));
}

static void stop(void)
{
    command(LOOP_STOP);
    end();
}

static int said(const char *word)
{
    char text[8192];
    ssize_t n = pread(log_fd, text, sizeof text - 1, 0);
    int count = 0;

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

static const struct board_thread *record(int index)
{
    return &rig.board.own->thread[index];
}

static unsigned records(void)
{
    return board_get(&rig.board.own->threads);
}

static void expect_echo(int fd)
{
    rig_put(fd, "echo x\n");
    rig_expect(fd, "x\n");
}

static int connect_served(void)
{
    int fd = rig_connect(&rig, 0);

    expect_echo(fd);
    return fd;
}

static void quit(int fd)
{
    rig_put(fd, "quit\n");
    rig_expect(fd, "bye\n");
    rig_expect_end(fd);
}

/* A connection that is in hand, since no thread can be started. */
static int connect_in_hand(void)
{
    int fd;

    atomic_store(&failures_left, FOR_EVER);
    fd = rig_connect(&rig, 0);
    rig_put(fd, "echo x\n");
    rig_until(atomic_load(&failures) > 0);
    return fd;
}

/* ---------------------------------------------------------------- tests ------------ */

START_TEST(each_connection_has_a_thread_and_a_record)
{
    enum { CLIENTS = 6 };
    int fds[CLIENTS];

    start(8, _i);
    command(LOOP_SERVE);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = rig_connect(&rig, i % 2);
        expect_echo(fds[i]);
    }
    for (int i = 1; i <= CLIENTS; i++) {
        ck_assert_uint_eq(board_get(&record(i)->connections), 1);
        ck_assert_uint_eq(board_get(&record(i)->accepted), 1);
        ck_assert_uint_eq(board_get(&record(i)->pid), 0);
    }
    ck_assert_uint_eq(board_get(&record(0)->connections), 0);
    ck_assert_uint_eq(board_get(&record(0)->accepted), 0);
    ck_assert_uint_eq(records(), CLIENTS + 1);
    ck_assert_uint_eq(rig_open(&rig), CLIENTS);
    ck_assert(!threads_are_done(threads));
    quit(fds[3]);
    rig_until(rig_open(&rig) == CLIENTS - 1);
    ck_assert_uint_eq(board_get(&record(4)->connections), 0);
    expect_echo(fds[2]); /* the others have not noticed */
    stop();
    ck_assert_int_eq(atomic_load(&inits), CLIENTS);
    ck_assert_int_eq(atomic_load(&exits), CLIENTS);
}
END_TEST

START_TEST(a_thread_blocks_nobody_else)
{
    int slow, quick;

    start(4, _i);
    command(LOOP_SERVE);
    slow = rig_connect(&rig, 0);
    rig_put(slow, "job\n"); /* no pool: it runs in the connection's thread */
    rig_until(atomic_load(&talk_counts.started) == 1);
    quick = connect_served();
    quit(quick);
    talk_release(1);
    rig_expect(slow, "done\n");
    stop();
}
END_TEST

START_TEST(units_are_used_again)
{
    start(8, _i);
    command(LOOP_SERVE);
    for (int i = 0; i < 50; i++) {
        quit(connect_served());
        rig_until(rig_open(&rig) == 0);
    }
    ck_assert_uint_eq(records(), 2);
    ck_assert_uint_eq(board_get(&record(1)->accepted), 50);
    stop();
}
END_TEST

/* What one connection leaves in the loop is nothing to the next. */
START_TEST(a_loop_used_again_begins_anew)
{
    static const char *const last_words[] = {"deadline 20\n", "busy\n"};
    int fd;

    start(8, _i);
    command(LOOP_SERVE);
    for (size_t i = 0; i < sizeof last_words / sizeof last_words[0]; i++) {
        fd = connect_served();
        rig_put(fd, last_words[i]);
        rig_expect(fd, "ok\n");
        rig_reset(fd);
        rig_until(rig_open(&rig) == 0);
    }
    fd = rig_connect(&rig, 0);
    rig_put(fd, "big 100000000\n"); /* and much output that is not read */
    rig_until(board_get(&record(1)->bytes_out) > 10000);
    rig_reset(fd);
    rig_until(rig_open(&rig) == 0);
    fd = connect_served();
    ck_assert_uint_eq(board_get(&record(1)->state), BOARD_WAITING);
    ck_assert_int_eq(board_get(&record(1)->busy_since), 0);
    rig_expect_silence(fd); /* neither the deadline nor the output of another */
    expect_echo(fd);
    ck_assert_uint_eq(records(), 2);
    stop();
}
END_TEST

START_TEST(beyond_the_bound_they_wait)
{
    int fds[3];

    start(2, _i);
    command(LOOP_SERVE);
    fds[0] = connect_served();
    fds[1] = connect_served();
    fds[2] = rig_connect(&rig, 0);
    rig_put(fds[2], "echo third\n");
    rig_expect_silence(fds[2]);
    ck_assert_uint_eq(rig_open(&rig), 2);
    quit(fds[0]);
    rig_expect(fds[2], "third\n");
    expect_echo(fds[1]);
    ck_assert_uint_eq(records(), 3);
    ck_assert_int_eq(said("accept-paused"), 0); /* to be full is no trouble */
    stop();
}
END_TEST

/* A wake-up that is lost between the end of a thread and a loop that becomes full would leave the
 * rest of the clients waiting. */
START_TEST(no_end_is_missed)
{
    enum { CLIENTS = 12, ROUNDS = 60 };
    int bound = _i / 2 + 1, fds[CLIENTS];
    uint64_t accepted = 0;

    start(bound, _i % 2);
    command(LOOP_SERVE);
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
    rig_until(rig_open(&rig) == 0);
    ck_assert_uint_le(records(), (unsigned)bound + 1);
    for (int i = 1; i <= bound; i++)
        accepted += board_get(&record(i)->accepted);
    ck_assert_uint_eq(accepted, CLIENTS * ROUNDS);
    stop();
}
END_TEST

START_TEST(what_cannot_be_launched_stays_in_hand)
{
    int first, second;

    start(1, _i);
    command(LOOP_SERVE);
    atomic_store(&failures_left, 3);
    first = rig_connect(&rig, 0);
    rig_put(first, "echo first\n");
    rig_until(atomic_load(&failures) > 0);
    second = rig_connect(&rig, 0);
    rig_put(second, "echo second\n");
    rig_expect(first, "first\n");
    ck_assert_int_eq(atomic_load(&failures), 3);
    ck_assert_int_eq(said("accept-paused"), 1);
    ck_assert_int_eq(said("first: no thread or process for a connection: Resource temporarily"), 1);
    rig_expect_silence(second); /* there is but one thread, and who came first has it */
    ck_assert_uint_eq(rig_open(&rig), 1);
    quit(first);
    rig_expect(second, "second\n");
    ck_assert_uint_eq(records(), 2); /* the unit that could not start was not lost */
    stop();
}
END_TEST

/* Before it serves, so that one turn tells of both listeners: the second is nothing to a loop that
 * the first has starved. */
START_TEST(starved_is_not_said_to_be_over_too_early)
{
    int bound = _i / 2 + 1, fds[2];

    start(bound, _i % 2);
    for (int i = 0; i < 2; i++) {
        fds[i] = rig_connect(&rig, i);
        rig_put(fds[i], "quit\n");
    }
    atomic_store(&failures_left, 3);
    command(LOOP_SERVE);
    for (int i = 0; i < 2; i++) {
        rig_expect(fds[i], "bye\n");
        rig_expect_end(fds[i]);
    }
    ck_assert_int_eq(atomic_load(&failures), 3);
    ck_assert_int_eq(atomic_load(&resumed_early), 0);
    rig_until(rig_open(&rig) == 0);
    quit(connect_served()); /* by which it learns that the backlog is empty */
    rig_until(said("accept-resumed") == 1);
    ck_assert_int_eq(said("accept-paused"), 1);
    stop();
}
END_TEST

START_TEST(in_hand_is_served_though_it_drains)
{
    int fd;

    rig.drain_linger = LONG;
    start(2, _i);
    command(LOOP_SERVE);
    fd = connect_in_hand();
    command(LOOP_DRAIN);
    rig_until(board_get(&record(0)->state) == BOARD_DRAINING);
    ck_assert_int_eq(atomic_load(&rig.quiet), 0); /* it has not taken all that it must */
    atomic_store(&failures_left, 0);
    rig_expect(fd, "x\n");
    rig_until(atomic_load(&rig.quiet) == 1);
    quit(fd);
    end();
}
END_TEST

START_TEST(in_hand_is_closed_by_stop)
{
    int fd;

    start(2, _i);
    command(LOOP_SERVE);
    fd = connect_in_hand();
    stop();
    rig_expect_over(fd);
    ck_assert_int_eq(atomic_load(&inits), 0);
}
END_TEST

/* Full again after it was starved, with more in a backlog that it must empty: it sleeps until there
 * is room. */
START_TEST(waits_for_room_while_it_empties_a_backlog)
{
    int fds[3], before;

    rig.drain_linger = LONG;
    start(2, _i);
    command(LOOP_SERVE);
    fds[0] = connect_served();
    fds[1] = connect_in_hand();
    fds[2] = rig_connect(&rig, 0);
    rig_put(fds[2], "echo third\n");
    atomic_store(&rig.listeners[0].removed, true);
    command(LOOP_DRAIN);
    rig_until(board_get(&record(0)->state) == BOARD_DRAINING);
    before = atomic_load(&failures);
    rig_until(atomic_load(&failures) > before);
    atomic_store(&failures_left, 0);
    rig_expect(fds[1], "x\n");
    rig_until(atomic_load(&rig.loops[0]->asleep)); /* and is not asking again and again */
    ck_assert_int_eq(atomic_load(&rig.quiet), 0);
    quit(fds[0]);
    rig_expect(fds[2], "third\n");
    quit(fds[1]);
    quit(fds[2]);
    end();
}
END_TEST

START_TEST(refusing_thread_costs_one_connection)
{
    int fds[3];

    atomic_store(&init_fails_at, 2);
    start(4, _i);
    command(LOOP_SERVE);
    fds[0] = connect_served();
    fds[1] = rig_connect(&rig, 0);
    rig_expect_over(fds[1]);
    rig_until(rig_open(&rig) == 1);
    fds[2] = connect_served();
    expect_echo(fds[0]);
    ck_assert_uint_eq(records(), 3); /* its unit serves the third */
    ck_assert_uint_eq(board_get(&record(2)->connections), 1);
    quit(fds[2]);
    stop();
    ck_assert_int_eq(atomic_load(&inits), 3);
    ck_assert_int_eq(atomic_load(&exits), 2);
}
END_TEST

START_TEST(drain_finishes_idle_and_busy)
{
    int idle, busy;

    start(4, _i);
    command(LOOP_SERVE);
    idle = connect_served();
    busy = connect_served();
    rig_put(busy, "busy\n");
    rig_expect(busy, "ok\n");
    command(LOOP_DRAIN);
    rig_expect(idle, "drained\n");
    rig_expect_end(idle);
    rig_until(rig_open(&rig) == 1);
    rig_until(atomic_load(&wakes) == 1);
    ck_assert(!threads_are_done(threads));
    rig_put(busy, "idle\n");
    rig_expect(busy, "drained\n");
    rig_expect_end(busy);
    end();
    ck_assert_int_eq(atomic_load(&wakes), 2); /* or the main thread would wait for ever */
}
END_TEST

START_TEST(no_wake_without_a_drain)
{
    start(4, _i);
    command(LOOP_SERVE);
    quit(connect_served());
    rig_until(threads_are_done(threads));
    quit(connect_served()); /* by the same unit: it was joined, so it has done all that it does */
    ck_assert_uint_eq(records(), 2);
    ck_assert_int_eq(atomic_load(&wakes), 0);
    stop();
}
END_TEST

/* What is taken from the backlog of a removed listener hears of the drain that was before it. */
START_TEST(launched_in_a_drain_is_drained)
{
    int fd;

    rig.drain_linger = 1;
    start(4, _i);
    fd = rig_connect(&rig, 0);
    atomic_store(&rig.listeners[0].removed, true);
    command(LOOP_DRAIN);
    rig_expect(fd, "drained\n");
    rig_expect_end(fd);
    end();
}
END_TEST

START_TEST(stop_cuts_all)
{
    enum { CLIENTS = 5 };
    int fds[CLIENTS];

    start(8, _i);
    command(LOOP_SERVE);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = connect_served();
    rig_put(fds[0], "busy\n");
    rig_expect(fds[0], "ok\n");
    stop();
    for (int i = 0; i < CLIENTS; i++)
        rig_expect_over(fds[i]);
}
END_TEST

START_TEST(stop_reaches_who_is_launched_late)
{
    int fd;

    start(4, _i);
    command(LOOP_SERVE);
    threads_command(threads, LOOP_STOP); /* the front has not heard of it yet */
    for (int i = 0; i < 3; i++) {
        fd = rig_connect(&rig, 0);
        rig_expect_over(fd);
    }
    stop();
    ck_assert_int_gt(atomic_load(&inits), 0);
}
END_TEST

/* Commands to threads that come and go at the same moment. */
START_TEST(drain_meets_those_that_come_and_go)
{
    enum { CLIENTS = 40 };
    int fds[CLIENTS];

    start(6, _i);
    command(LOOP_SERVE);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = rig_connect(&rig, 0);
        if (i % 2)
            rig_put(fds[i], "quit\n");
        if (i == CLIENTS / 2)
            command(LOOP_DRAIN);
    }
    end();
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
}
END_TEST

#define BOUNDS_AND_WAITS 4 /* bound 1 and 2, each with both ways to wait */

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 4096; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* An intruder could otherwise make the worker as large as it may become, for good. */
START_TEST(what_a_wave_took_is_given_back)
{
    enum { WAVE = 200, KEPT = 32 };
    int fds[WAVE], before;

    start(WAVE, _i);
    command(LOOP_SERVE);
    before = open_descriptors();
    for (int i = 0; i < WAVE; i++)
        fds[i] = connect_served();
    ck_assert_int_ge(open_descriptors(), before + 3 * WAVE); /* both ends, and a loop's own */
    for (int i = 0; i < WAVE; i++)
        quit(fds[i]);
    for (int i = 0; i < WAVE; i++)
        close(fds[i]);
    rig_until(open_descriptors() <= before + 2 * KEPT);
    quit(connect_served());
    ck_assert_uint_le(records(), WAVE + 1); /* those without a loop are used again, too */
    for (int i = 0; i < 2 * KEPT; i++)
        fds[i] = connect_served();
    ck_assert_uint_le(records(), WAVE + 1);
    stop();
}
END_TEST

UNIT_MAIN("threads", EACH(each_connection_has_a_thread_and_a_record, rig_waits),
          EACH(what_a_wave_took_is_given_back, rig_waits),
          EACH(a_thread_blocks_nobody_else, rig_waits), EACH(units_are_used_again, rig_waits),
          EACH(a_loop_used_again_begins_anew, rig_waits),
          EACH(beyond_the_bound_they_wait, rig_waits), TIMES(no_end_is_missed, BOUNDS_AND_WAITS),
          EACH(what_cannot_be_launched_stays_in_hand, rig_waits),
          TIMES(starved_is_not_said_to_be_over_too_early, BOUNDS_AND_WAITS),
          EACH(in_hand_is_served_though_it_drains, rig_waits),
          EACH(in_hand_is_closed_by_stop, rig_waits),
          EACH(waits_for_room_while_it_empties_a_backlog, rig_waits),
          EACH(refusing_thread_costs_one_connection, rig_waits),
          EACH(drain_finishes_idle_and_busy, rig_waits), EACH(no_wake_without_a_drain, rig_waits),
          EACH(launched_in_a_drain_is_drained, rig_waits), EACH(stop_cuts_all, rig_waits),
          EACH(stop_reaches_who_is_launched_late, rig_waits),
          EACH(drain_meets_those_that_come_and_go, rig_waits))
