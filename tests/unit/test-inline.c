/* Jobs in the loop's own thread that take too long: who is let go, and how the loop comes back. */
#include "config.h"

#include <unistd.h>

#include "rig.h"
#include "talk.h"
#include "unit.h"

static struct rig rig;
static struct reeve_protocol polite; /* talk, which says so when it is late */
static atomic_int told;

static reeve_verdict say_late(reeve_conn *conn)
{
    atomic_fetch_add(&told, 1);
    reeve_send(conn, "late\n", 5);
    return REEVE_CLOSE;
}

struct row {
    enum wait_kind wait;
    int connections;
};
static const struct row rows[] = {
    {WAIT_EPOLL, MANY}, {WAIT_POLL, MANY}, {WAIT_EPOLL, 1}, {WAIT_POLL, 1}};

static void start(int row, bool is_polite)
{
    polite = talk;
    polite.late = say_late;
    rig.protocol = is_polite ? &polite : &talk;
    rig.wait = rows[row].wait;
    rig.connections = rows[row].connections;
    rig_start(&rig);
    rig.listeners[0].knows_late = is_polite;
    rig_command(&rig, LOOP_SERVE);
}

/* A client whose job holds the loop's thread; and what the loop is at then. */
static int hold(const char *text, uint64_t *progress)
{
    int fd = rig_connect(&rig, 0);

    rig_put(fd, text);
    rig_until(atomic_load(&talk_counts.started) == 1);
    ck_assert(!loop_waits(rig.loops[0], progress));
    return fd;
}

/* It comes back, and serves others. */
static void come_back(void)
{
    int fd;

    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0); /* the job may look at it still */
    talk_release(1);
    rig_until(atomic_load(&talk_counts.closed) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.ran), 1);
    fd = rig_connect(&rig, 0);
    rig_put(fd, "echo again\nquit\n");
    rig_expect(fd, "again\nbye\n");
    rig_expect_end(fd);
    close(fd);
    rig_stop(&rig);
}

START_TEST(client_is_told)
{
    uint64_t progress;
    int fd;

    start(_i, true);
    fd = hold("echo before\njob\necho behind\n", &progress);
    ck_assert_int_eq(loop_let_go(rig.loops[0], progress), LOOP_LETS_GO);
    rig_expect(fd, "before\nlate\n");
    ck_assert_int_eq(atomic_load(&told), 1);
    close(fd);
    come_back();
}
END_TEST

START_TEST(client_is_closed)
{
    uint64_t progress;
    int fd;

    start(_i, false);
    fd = hold("job\n", &progress);
    ck_assert_int_eq(loop_let_go(rig.loops[0], progress), LOOP_LETS_GO);
    rig_expect_over(fd);
    close(fd);
    come_back();
}
END_TEST

/* It is at something else than was seen. */
START_TEST(who_goes_on_is_left_alone)
{
    uint64_t progress;
    int fd;

    start(_i, true);
    fd = hold("job\n", &progress);
    ck_assert_int_eq(loop_let_go(rig.loops[0], progress - 2), LOOP_GOES_ON);
    talk_release(1);
    rig_expect(fd, "done\n");
    rig_until(loop_waits(rig.loops[0], &progress));
    ck_assert_int_eq(loop_let_go(rig.loops[0], progress), LOOP_GOES_ON);
    ck_assert_int_eq(atomic_load(&told), 0);
    close(fd);
    rig_stop(&rig);
}
END_TEST

/* The end of a worker finds the loop, when it is back, as any other. */
START_TEST(stop_meanwhile)
{
    uint64_t progress;
    int fd;

    start(_i, true);
    fd = hold("job\n", &progress);
    ck_assert_int_eq(loop_let_go(rig.loops[0], progress), LOOP_LETS_GO);
    rig_command(&rig, LOOP_STOP);
    rig_expect(fd, "late\n");
    talk_release(1);
    rig_end(&rig);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 1);
    close(fd);
}
END_TEST

UNIT_MAIN("inline", EACH(client_is_told, rows), EACH(client_is_closed, rows),
          EACH(who_goes_on_is_left_alone, rows), EACH(stop_meanwhile, rows))
