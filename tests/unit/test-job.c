/* Jobs: with a pool and inline, with clients that stay and clients that go. */
#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "talk.h"
#include "unit.h"

static struct rig rig;

static void start(int row, int pool_threads)
{
    rig.protocol = &talk;
    rig.wait = rig_waits[row];
    rig.pool_threads = pool_threads;
    rig_start(&rig);
    rig_command(&rig, LOOP_SERVE);
}

static int ask(const char *text)
{
    int fd = rig_connect(&rig, 0);
    rig_put(fd, text);
    return fd;
}

START_TEST(others_are_served_meanwhile)
{
    start(_i, 1);
    int slow = ask("job\necho behind\nquit\n");
    rig_until(atomic_load(&talk_counts.started) == 1);
    int quick = ask("echo quick\n");
    rig_expect(quick, "quick\n");
    rig_put(slow, "echo too late\n"); /* not read, and no step, while the job is in flight */
    int steps = atomic_load(&talk_counts.steps);
    rig_expect_silence(slow);
    ck_assert_int_eq(atomic_load(&talk_counts.steps), steps);
    talk_release(1);
    rig_expect(slow, "done\nbehind\nbye\n");
    close(slow);
    close(quick);
    rig_stop(&rig);
}
END_TEST

START_TEST(half_closed_client_gets_its_answer)
{
    start(_i, 1);
    int fd = ask("job\n");
    rig_until(atomic_load(&talk_counts.started) == 1);
    shutdown(fd, SHUT_WR);
    rig_expect_silence(fd);
    talk_release(1);
    rig_expect(fd, "done\nend\n");
    rig_expect_end(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(queued_job_of_a_gone_client_is_skipped)
{
    start(_i, 1);
    int first = ask("job\n");
    rig_until(atomic_load(&talk_counts.started) == 1);
    int gone = ask("job\n");
    rig_until(atomic_load(&talk_counts.submitted) == 2);
    rig_reset(gone);
    rig_until(rig_open(&rig) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0); /* a zombie: its job is still queued */
    talk_release(1);
    rig_expect(first, "done\n");
    rig_until(atomic_load(&talk_counts.closed) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.skipped), 1);
    ck_assert_int_eq(atomic_load(&talk_counts.ran), 1);
    ck_assert_int_eq(atomic_load(&talk_counts.refused), 1);
    close(first);
    rig_stop(&rig);
}
END_TEST

START_TEST(running_job_of_a_gone_client_comes_back)
{
    start(_i, 1);
    int gone = ask("job\n");
    rig_until(atomic_load(&talk_counts.started) == 1);
    rig_reset(gone);
    rig_until(rig_open(&rig) == 0);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0);
    talk_release(1);
    rig_until(atomic_load(&talk_counts.closed) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.ran), 1);
    ck_assert_int_eq(atomic_load(&talk_counts.skipped), 0);
    ck_assert_int_eq(atomic_load(&talk_counts.refused), 1); /* its answer */
    rig_stop(&rig);
}
END_TEST

START_TEST(deadline_during_a_job)
{
    start(_i, 1);
    int fd = ask("deadline 30\njob\n");
    rig_expect(fd, "ok\nexpired\n"); /* the hook answers in the job's place */
    rig_expect_end(fd);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0);
    talk_release(1);
    rig_until(atomic_load(&talk_counts.closed) == 1);
    rig_stop(&rig);
}
END_TEST

START_TEST(stop_waits_for_jobs)
{
    start(_i, 2);
    int one = ask("job\n"), two = ask("job\n"), three = ask("job\n");
    rig_until(atomic_load(&talk_counts.started) == 2 && atomic_load(&talk_counts.submitted) == 3);
    rig_command(&rig, LOOP_STOP);
    rig_expect_over(one);
    rig_expect_over(two);
    rig_expect_over(three);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0);
    talk_release(2);
    rig_end(&rig);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 3);
    ck_assert_int_eq(atomic_load(&talk_counts.ran), 2);
    ck_assert_int_eq(atomic_load(&talk_counts.skipped), 1);
}
END_TEST

START_TEST(inline_without_a_pool)
{
    start(_i, 0);
    talk_release(3);
    int fd = ask("job\njob\necho x\njob\nquit\n");
    rig_expect(fd, "done\ndone\nx\ndone\nbye\n");
    rig_expect_end(fd);
    ck_assert_int_eq(atomic_load(&talk_counts.ran), 3);
    rig_stop(&rig);
}
END_TEST

START_TEST(many_jobs)
{
    enum { CLIENTS = 40, ROUNDS = 20 };
    int fds[CLIENTS];
    rig.loop_count = 3;
    start(_i, RIG_POOL);
    talk_release(CLIENTS * ROUNDS);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = rig_connect(&rig, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            rig_put(fds[i], "job\necho x\n");
        for (int i = 0; i < CLIENTS; i++)
            rig_expect(fds[i], "done\nx\n");
    }
    for (int i = 0; i < CLIENTS; i++)
        rig_reset(fds[i]);
    rig_until(atomic_load(&talk_counts.closed) == CLIENTS);
    rig_stop(&rig);
}
END_TEST

static const char *const later[] = {"begin\n", "keep\n"};

static void ends_later(int row, int pool_threads, const char *command)
{
    start(row, pool_threads);
    int slow = ask(command);
    rig_until(atomic_load(&talk_counts.held) == 1);
    int quick = ask("echo quick\n");
    rig_expect(quick, "quick\n");
    rig_put(slow, "echo behind\n");
    rig_expect_silence(slow);
    ck_assert(talk_end());
    rig_expect(slow, "done\nbehind\n");
    close(slow);
    close(quick);
    rig_stop(&rig);
}

START_TEST(begun_job_ends_in_another_thread)
{
    ends_later(_i, 1, later[0]);
}
END_TEST

START_TEST(kept_job_ends_in_another_thread)
{
    ends_later(_i, 1, later[1]);
}
END_TEST

START_TEST(kept_job_without_a_pool)
{
    ends_later(_i, 0, later[1]);
}
END_TEST

/* `skipped`: what never ran. */
static void client_goes(int row, const char *command, int skipped)
{
    start(row, 1);
    int gone = ask(command);
    rig_until(atomic_load(&talk_counts.held) == 1);
    rig_reset(gone);
    rig_until(rig_open(&rig) == 0);
    ck_assert_int_eq(atomic_load(&talk_counts.closed), 0); /* a zombie */
    ck_assert(!talk_end());
    rig_until(atomic_load(&talk_counts.closed) == 1);
    ck_assert_int_eq(atomic_load(&talk_counts.skipped), skipped);
    rig_stop(&rig);
}

START_TEST(begun_job_of_a_gone_client)
{
    client_goes(_i, later[0], 1);
}
END_TEST

START_TEST(kept_job_of_a_gone_client)
{
    client_goes(_i, later[1], 0);
}
END_TEST

/* Who ends it may be quicker than the pool's thread, which is still on its way out. */
START_TEST(many_kept_jobs)
{
    start(_i, 2);
    int fd = rig_connect(&rig, 0);
    for (int i = 0; i < 500; i++) {
        rig_put(fd, "keep\n");
        rig_until(atomic_load(&talk_counts.held) == 1);
        talk_end();
        rig_expect(fd, "done\n");
    }
    close(fd);
    rig_stop(&rig);
}
END_TEST

UNIT_MAIN("job", EACH(others_are_served_meanwhile, rig_waits),
          EACH(half_closed_client_gets_its_answer, rig_waits),
          EACH(queued_job_of_a_gone_client_is_skipped, rig_waits),
          EACH(running_job_of_a_gone_client_comes_back, rig_waits),
          EACH(deadline_during_a_job, rig_waits), EACH(stop_waits_for_jobs, rig_waits),
          EACH(inline_without_a_pool, rig_waits), EACH(many_jobs, rig_waits),
          EACH(begun_job_ends_in_another_thread, rig_waits),
          EACH(kept_job_ends_in_another_thread, rig_waits),
          EACH(kept_job_without_a_pool, rig_waits), EACH(begun_job_of_a_gone_client, rig_waits),
          EACH(kept_job_of_a_gone_client, rig_waits),
          EACH(many_kept_jobs, rig_waits))
