/* What a worker makes of its master's messages, of signals and of the clock, and what a process
 * forked for a connection makes of its worker's.
 *
 * Crew, children and access logs are stand-ins that write down in `calls` how they were called. The
 * test holds the master's end of the channel. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "unit.h"
#include "worker/children.h"
#include "worker/crew.h"
#include "worker/logfile.h"
#include "worker/orders.h"
#include "worker/watch.h"

#define LONG 600000 /* ms: longer than any test */
#define SHORT 20    /* ms */

static struct orders orders;
static int master, log_fd, fds_before;
static char calls[512];
static bool stopped_accepting, owing, seen_off;

/* ---------------------------------------------------------------- stand-ins -------- */

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    size_t length = strlen(calls);
    va_list args;

    va_start(args, format);
    vsnprintf(calls + length, sizeof(calls) - length, format, args);
    va_end(args);
    strncat(calls, ";", sizeof(calls) - strlen(calls) - 1);
}

void crew_command(struct crew *crew, enum loop_command command)
{
    static const char *const names[] = {[LOOP_SERVE] = "serve", [LOOP_LOOK] = "look",
                                        [LOOP_DRAIN] = "drain", [LOOP_STOP] = "stop",
                                        [LOOP_REST] = "rest"};

    ck_assert_ptr_eq(crew, orders.crew);
    note("%s", names[command]);
}
void crew_shut_passages(struct crew *crew)
{
    (void)crew;
    note("shut");
}
void crew_listener_removed(struct crew *crew, const char *address)
{
    (void)crew;
    note("removed %s", address);
}
void crew_listener_stays(struct crew *crew, const char *address, bool on)
{
    (void)crew;
    if (on)
        note("stays %s", address);
}
void crew_see_off(struct crew *crew, bool on)
{
    (void)crew;
    seen_off = on;
}
bool crew_has_stopped_accepting(const struct crew *crew)
{
    (void)crew;
    return stopped_accepting;
}
void crew_close_listeners(struct crew *crew)
{
    (void)crew;
    note("close");
}
void crew_release_listeners(struct crew *crew)
{
    (void)crew;
    note("release");
}
void children_tell(struct children *children, const struct msg *msg)
{
    (void)children;
    note("tell %s%s", msg_name(msg->type), msg->fd >= 0 ? " with fd" : "");
}
void children_hear(struct children *children, unsigned record)
{
    (void)children;
    note("hear %u", record);
}
bool children_owe(const struct children *children)
{
    (void)children;
    return owing;
}
void children_reap(struct children *children)
{
    (void)children;
    note("reap");
}
void children_kill(struct children *children)
{
    (void)children;
    note("kill");
}
void watch_round(struct crew *crew)
{
    (void)crew;
    note("watch");
}
void logfile_reopened(const char *path, int fd)
{
    note("reopened %s", path);
    close(fd);
}

/* ---------------------------------------------------------------- helpers ---------- */

static int open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -1; /* the folder's own */

    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void setup(void)
{
    sigset_t all;
    int channel;

    sigfillset(&all);
    sigdelset(&all, SIGALRM); /* with which Check ends a test that hangs */
    sigprocmask(SIG_SETMASK, &all, NULL);
    log_fd = memfd_create("log", MFD_CLOEXEC);
    log_open(log_fd, LOG_TEXT);
    log_set_level(REEVE_LOG_INFO);
    fds_before = open_fds();
    ck_assert_int_eq(channel_pair(&master, &channel), 0);
    orders = (struct orders){.state = WAITING, .log_fd = -1, .drain_timeout = LONG,
                             .who = "slot 1 of generation 2",
                             .crew = (struct crew *)(void *)&orders};
    ck_assert(orders_open(&orders, channel));
}

static void teardown(void)
{
    orders_close(&orders);
    close(master);
    ck_assert_int_eq(open_fds(), fds_before);
}

static void expect_calls(const char *expected)
{
    ck_assert_str_eq(calls, expected);
    calls[0] = '\0';
}

static void tell(enum msg_type type, uint32_t op, int value)
{
    struct msg msg = {.type = type, .op = op, .value = value, .fd = -1};

    ck_assert_int_eq(channel_send(master, &msg), 0);
    orders_obey(&orders, true);
}

static void tell_text(enum msg_type type, int fd, const char *text)
{
    struct msg msg = {.type = type, .fd = fd, .text = text, .length = strlen(text)};

    ck_assert_int_eq(channel_send(master, &msg), 0);
    orders_obey(&orders, true);
}

#define obey_until(condition)                                                                      \
    while (!(condition))                                                                           \
        orders_obey(&orders, true)

/* All that has been sent is here at once. */
static void expect_silence(void)
{
    struct pollfd wait = {.fd = master, .events = POLLIN};

    ck_assert_int_eq(poll(&wait, 1, 0), 0);
}

static void expect_message(enum msg_type type, uint32_t op)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct msg msg;

    ck_assert_int_eq(channel_recv(master, &msg, room, TO_MASTER), 1);
    ck_assert_str_eq(msg_name(msg.type), msg_name(type));
    ck_assert_uint_eq(msg.op, op);
}

static void wake(void)
{
    uint64_t one = 1;

    ck_assert_int_eq(write(orders.wake_fd, &one, sizeof(one)), sizeof(one));
    orders_obey(&orders, true);
}

static void serve(void)
{
    tell(MSG_SERVE, 1, 0);
    expect_message(MSG_ACK, 1);
    expect_calls("serve;");
}

static void send_signal(int number)
{
    ck_assert_int_eq(raise(number), 0);
    orders_obey(&orders, true);
}

static int said(const char *word)
{
    char text[4096];
    ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);
    int count = 0;

    text[n > 0 ? n : 0] = '\0';
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

/* ---------------------------------------------------------------- serving ---------- */

START_TEST(serves_when_told)
{
    ck_assert_int_eq(orders.state, WAITING);
    serve();
    ck_assert_int_eq(orders.state, SERVING);
    tell(MSG_SERVE, 2, 0);
    expect_message(MSG_ACK, 2);
    expect_calls(""); /* it does already */
}
END_TEST

START_TEST(rests_and_goes_on)
{
    tell(MSG_REST, 0, 0);
    expect_calls(""); /* it does not serve yet */
    serve();
    tell(MSG_REST, 0, 0);
    tell(MSG_REST, 0, 0);
    expect_calls("rest;");
    tell(MSG_SERVE, 3, 0);
    expect_message(MSG_ACK, 3);
    expect_calls("serve;");
    tell_text(MSG_STAY, -1, "*:80");
    tell(MSG_REST, 0, 1);
    expect_calls("stays *:80;rest;");
    ck_assert(seen_off);
    tell(MSG_SERVE, 0, 0);
    expect_calls("serve;");
    ck_assert(!seen_off);
    tell(MSG_REST, 0, 0);
    ck_assert(!seen_off);
    tell(MSG_DRAIN, 0, 0);
    expect_calls("rest;drain;");
    tell(MSG_REST, 0, 0);
    tell(MSG_SERVE, 0, 0);
    expect_calls("");
}
END_TEST

START_TEST(looks_only_while_it_serves)
{
    tell(MSG_LOOK, 0, 0);
    expect_calls("");
    serve();
    tell(MSG_LOOK, 0, 0);
    expect_calls("look;");
    tell(MSG_DRAIN, 0, 0);
    tell(MSG_LOOK, 0, 0);
    expect_calls("drain;");
}
END_TEST

START_TEST(does_not_wait_unless_told)
{
    orders_obey(&orders, false);
    expect_calls("");
    expect_silence();
}
END_TEST

START_TEST(removed_goes_to_the_crew)
{
    tell_text(MSG_REMOVED, -1, "127.0.0.1:8080");
    expect_calls("removed 127.0.0.1:8080;");
    expect_silence();
}
END_TEST

START_TEST(level_is_set_and_passed_on)
{
    tell(MSG_LEVEL, 0, REEVE_LOG_DEBUG);
    ck_assert_int_eq(log_level(), REEVE_LOG_DEBUG);
    tell(MSG_LEVEL, 0, REEVE_LOG_DEBUG + 1);
    tell(MSG_LEVEL, 0, -1);
    ck_assert_int_eq(log_level(), REEVE_LOG_DEBUG);
    expect_calls("tell LEVEL;tell LEVEL;tell LEVEL;");
}
END_TEST

/* ---------------------------------------------------------------- logs ------------- */

START_TEST(log_is_replaced_in_place)
{
    int old = memfd_create("old", MFD_CLOEXEC), new = memfd_create("new", MFD_CLOEXEC), number;
    char text[16] = "";

    tell_text(MSG_LOG, old, "");
    number = orders.log_fd;
    ck_assert_int_ge(number, 0);
    ck_assert(fcntl(number, F_GETFD) & FD_CLOEXEC);
    tell_text(MSG_LOG, new, "");
    ck_assert_int_eq(orders.log_fd, number); /* threads that write know it by that */
    ck_assert(fcntl(number, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(write(number, "log,", 4), 4);
    ck_assert_int_eq(write(STDERR_FILENO, "err", 3), 3); /* what libraries say is not lost */
    ck_assert_int_eq(pread(new, text, sizeof(text) - 1, 0), 7);
    ck_assert_str_eq(text, "log,err");
    ck_assert_int_eq(pread(old, text, sizeof(text), 0), 0);
    expect_calls("tell LOG with fd;tell LOG with fd;");
    close(old);
    close(new);
    sys_close(&orders.log_fd);
}
END_TEST

START_TEST(log_may_be_syslog)
{
    tell_text(MSG_LOG, -1, "");
    ck_assert_int_eq(orders.log_fd, -1);
    expect_calls("tell LOG;");
}
END_TEST

START_TEST(access_log_is_reopened)
{
    int file = memfd_create("access", MFD_CLOEXEC);

    tell_text(MSG_LOGFILE, file, "/var/log/access");
    expect_calls("tell LOGFILE with fd;reopened /var/log/access;");
    close(file);
}
END_TEST

START_TEST(reopened_is_acknowledged)
{
    tell(MSG_REOPENED, 5, 0);
    expect_message(MSG_ACK, 5);
    expect_silence();
    expect_calls("tell REOPENED;");
}
END_TEST

START_TEST(reopened_waits_for_the_children)
{
    int answer = eventfd(1, EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 3};

    owing = true;
    tell(MSG_REOPENED, 5, 0);
    tell(MSG_REOPENED, 6, 0);
    expect_calls("tell REOPENED;tell REOPENED;");
    ck_assert_int_eq(epoll_ctl(orders.fd, EPOLL_CTL_ADD, answer, &event), 0);
    orders_obey(&orders, true);
    expect_calls("hear 3;");
    expect_silence(); /* there are more */
    owing = false;
    orders_obey(&orders, true);
    expect_calls("hear 3;");
    expect_message(MSG_ACK, 5);
    expect_message(MSG_ACK, 6);
    expect_silence();
    close(answer);
}
END_TEST

START_TEST(a_dead_child_may_be_the_last_that_owed)
{
    owing = true;
    tell(MSG_REOPENED, 5, 0);
    expect_silence();
    owing = false;
    send_signal(SIGCHLD);
    expect_calls("tell REOPENED;reap;");
    expect_message(MSG_ACK, 5);
}
END_TEST

/* ---------------------------------------------------------------- nonsense --------- */

static const enum msg_type unexpected[] = {MSG_BOARD, MSG_SNAPSHOT, MSG_LISTENER, MSG_START};

START_TEST(unexpected_is_logged_and_its_descriptor_closed)
{
    int fd = memfd_create("any", MFD_CLOEXEC), before = open_fds();
    char line[64];

    serve();
    tell_text(unexpected[_i], fd, "x");
    snprintf(line, sizeof(line), "channel-bad: %s is not expected now", msg_name(unexpected[_i]));
    ck_assert_int_eq(said(line), 1);
    ck_assert_int_eq(open_fds(), before);
    expect_calls("");
    expect_silence();
    ck_assert_int_eq(orders.state, SERVING);
    close(fd);
}
END_TEST

static const enum msg_type wrong_way[] = {MSG_READY,   MSG_FAILED,  MSG_CRASHED,
                                          MSG_LEAVING, MSG_ACK};

START_TEST(message_of_the_wrong_direction_is_dropped)
{
    int fd = memfd_create("any", MFD_CLOEXEC), before = open_fds();

    tell_text(wrong_way[_i], fd, "x");
    ck_assert_int_eq(said("channel-bad: a message from the master was dropped"), 1);
    ck_assert_int_eq(open_fds(), before);
    serve(); /* it goes on */
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- draining --------- */

START_TEST(drain_is_acknowledged_when_quiet)
{
    serve();
    tell(MSG_DRAIN, 9, LONG);
    expect_calls("drain;");
    ck_assert_int_eq(orders.state, DRAINING);
    ck_assert_int_eq(said("draining: slot 1 of generation 2 drains (was serving)"), 1);
    wake(); /* one loop of several */
    expect_silence();
    stopped_accepting = true;
    wake();
    expect_message(MSG_ACK, 9);
    expect_calls("close;");
    wake(); /* a thread has ended */
    expect_silence();
    expect_calls("");
    tell(MSG_DRAIN, 10, LONG);
    expect_message(MSG_ACK, 10); /* quiet already */
    expect_calls("");
}
END_TEST

START_TEST(wake_means_nothing_while_it_serves)
{
    stopped_accepting = true;
    wake();
    serve();
    wake();
    expect_calls("");
    expect_silence();
    ck_assert(!orders.quiet);
}
END_TEST

/* To the master, 0 stands for every operation that it waits for. */
START_TEST(drain_without_operation_is_not_acknowledged)
{
    tell(MSG_DRAIN, 0, LONG);
    stopped_accepting = true;
    wake();
    expect_silence();
    tell(MSG_DRAIN, 0, LONG);
    tell(MSG_SERVE, 0, 0);
    expect_silence();
}
END_TEST

START_TEST(every_drain_is_acknowledged)
{
    tell(MSG_DRAIN, 9, LONG);
    tell(MSG_DRAIN, 10, LONG);
    expect_silence();
    stopped_accepting = true;
    wake();
    expect_message(MSG_ACK, 9);
    expect_message(MSG_ACK, 10);
}
END_TEST

START_TEST(drain_without_operation_does_not_hide_one)
{
    tell(MSG_DRAIN, 9, LONG);
    tell(MSG_DRAIN, 0, LONG);
    stopped_accepting = true;
    wake();
    expect_message(MSG_ACK, 9);
}
END_TEST

START_TEST(serve_does_not_undo_a_drain)
{
    tell(MSG_DRAIN, 0, LONG);
    tell(MSG_SERVE, 3, 0);
    expect_message(MSG_ACK, 3);
    expect_calls("drain;");
    ck_assert_int_eq(orders.state, DRAINING);
}
END_TEST

START_TEST(what_is_left_at_the_deadline_is_cut)
{
    serve();
    tell(MSG_DRAIN, 0, SHORT);
    obey_until(orders.state == STOPPING);
    expect_calls("drain;stop;");
    ck_assert_int_eq(said("drain-deadline"), 1);
    obey_until(calls[0]);
    expect_calls("kill;");
    ck_assert_int_eq(orders.leave_at, 0); /* the master sees to it */
}
END_TEST

START_TEST(drain_without_deadline_has_none)
{
    struct itimerspec next;

    tell(MSG_DRAIN, 0, 0);
    ck_assert_int_eq(orders.deadline, 0);
    ck_assert_int_eq(timerfd_gettime(orders.timer_fd, &next), 0);
    ck_assert(next.it_value.tv_sec == 0 && next.it_value.tv_nsec == 0);
    ck_assert_int_eq(orders.state, DRAINING);
}
END_TEST

static const struct {
    int first, second;
    bool taken; /* the second */
} drains[] = {
    {LONG, LONG / 2, true}, {0, LONG, true}, {LONG / 2, LONG, false}, {LONG, 0, false},
};

START_TEST(only_a_nearer_deadline_is_taken)
{
    int64_t before;

    tell(MSG_DRAIN, 0, drains[_i].first);
    before = orders.deadline;
    tell(MSG_DRAIN, 0, drains[_i].second);
    ck_assert_int_eq(orders.deadline != before, drains[_i].taken);
    ck_assert(!drains[_i].taken || before == 0 || orders.deadline < before);
    expect_calls("drain;"); /* once */
}
END_TEST

START_TEST(nearer_deadline_is_kept)
{
    tell(MSG_DRAIN, 0, LONG);
    tell(MSG_DRAIN, 0, SHORT);
    obey_until(orders.state == STOPPING);
    expect_calls("drain;stop;");
}
END_TEST

/* There is nothing left that a deadline could do; its timer would ring for ever. */
START_TEST(stopping_takes_no_deadline)
{
    tell(MSG_DRAIN, 0, SHORT);
    obey_until(orders.state == STOPPING);
    tell(MSG_DRAIN, 0, SHORT);
    ck_assert_int_eq(orders.deadline, 0);
    expect_calls("drain;stop;");
}
END_TEST

/* ---------------------------------------------------------------- signals ---------- */

START_TEST(sigterm_is_told_and_drains)
{
    orders.drain_timeout = SHORT;
    serve();
    send_signal(SIGTERM);
    expect_message(MSG_LEAVING, 0);
    send_signal(SIGTERM);
    expect_silence();
    obey_until(orders.state == STOPPING);
    expect_calls("drain;stop;");
    send_signal(SIGTERM);
    expect_silence();
    expect_calls("");
}
END_TEST

START_TEST(both_signals_are_heard)
{
    serve();
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert_int_eq(raise(SIGCHLD), 0);
    obey_until(strstr(calls, "drain;") && strstr(calls, "reap;"));
    expect_message(MSG_LEAVING, 0);
}
END_TEST

/* ---------------------------------------------------------------- the master's end - */

static void lose_master(void)
{
    close(master);
    master = -1;
    orders_obey(&orders, true);
}

START_TEST(without_a_master_it_drains_and_lets_go)
{
    serve();
    lose_master();
    expect_calls("shut;removed *;drain;");
    ck_assert_int_eq(said("master-gone: the master is gone"), 1);
    ck_assert_int_ne(orders.deadline, 0);
    ck_assert(orders.deadline > orders.release_at);
    obey_until(calls[0]);
    expect_calls("release;");
    ck_assert_int_eq(orders.release_at, 0);
    orders_tell(&orders, MSG_LEAVING, 0, NULL); /* to nobody, and that is no trouble */
    ck_assert_int_eq(said("channel-bad"), 0);
}
END_TEST

START_TEST(a_quiet_one_has_nothing_to_let_go)
{
    serve();
    lose_master();
    stopped_accepting = true;
    wake();
    expect_calls("shut;removed *;drain;close;");
    obey_until(orders.release_at == 0);
    expect_calls("");
}
END_TEST

START_TEST(a_nearer_deadline_stays_without_a_master)
{
    int64_t before;

    tell(MSG_DRAIN, 0, LONG / 2);
    before = orders.deadline;
    lose_master();
    ck_assert_int_eq(orders.deadline, before);
    expect_calls("drain;shut;removed *;");
}
END_TEST

/* Runs in a process of its own, since nothing but its end is to be seen. */
static void assert_leaves(bool stopping_first)
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
        orders.drain_timeout = SHORT;
        if (stopping_first) {
            tell(MSG_DRAIN, 0, SHORT);
            obey_until(orders.state == STOPPING);
        }
        lose_master();
        obey_until(false);
    }
    sys_close(&master); /* else the other one's is not the last */
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), WORKER_DRAINED);
    ck_assert_int_eq(said("worker-stuck: a thread does not come back"), 1);
}

START_TEST(without_a_master_a_stuck_worker_leaves)
{
    assert_leaves(false);
}
END_TEST

START_TEST(without_a_master_a_stopping_worker_leaves)
{
    assert_leaves(true);
}
END_TEST

/* ---------------------------------------------------------------- the child -------- */

/* As after fork(), but in this process: the worker's end of the new channel stands for `master`,
 * and what was the master's is returned. */
static int become_child(void)
{
    int old = master, channel;

    ck_assert_int_eq(channel_pair(&master, &channel), 0);
    ck_assert(orders_become_child(&orders, channel));
    return old;
}

START_TEST(child_lets_go_of_the_worker_s)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct msg msg;
    int old;

    serve();
    owing = true;
    tell(MSG_REOPENED, 5, 0);
    tell(MSG_DRAIN, 9, LONG);
    calls[0] = '\0';
    old = become_child();
    ck_assert_int_eq(channel_recv(old, &msg, room, TO_MASTER), 0); /* closed, without a word */
    close(old);
    ck_assert_int_eq(open_fds(), fds_before + 6); /* its five, and the worker's end */
    ck_assert_int_eq(orders.state, SERVING);
    ck_assert_int_eq(orders.deadline, 0);
    owing = false;
    send_signal(SIGCHLD);
    wake();
    expect_silence(); /* what the worker owed is not the child's */
    expect_calls("reap;");
}
END_TEST

/* The worker counts its answers: one to each REOPENED, and nothing else. */
START_TEST(child_answers_reopened_only)
{
    close(become_child());
    tell(MSG_LEVEL, 0, REEVE_LOG_INFO);
    tell(MSG_DRAIN, 0, 0);
    tell(MSG_REOPENED, 5, 0);
    expect_message(MSG_ACK, 5);
    send_signal(SIGTERM);
    wake();
    expect_silence();
    expect_calls("tell LEVEL;drain;tell REOPENED;");
}
END_TEST

START_TEST(child_is_stopped_by_its_worker)
{
    close(become_child());
    tell(MSG_DRAIN, 0, 0);
    tell(MSG_DRAIN, 0, 1);
    obey_until(orders.state == STOPPING);
    expect_calls("drain;stop;");
}
END_TEST

START_TEST(child_hears_sigterm)
{
    close(become_child());
    send_signal(SIGTERM);
    expect_calls("drain;");
    expect_silence();
}
END_TEST

START_TEST(child_outlives_its_worker_for_a_while)
{
    orders.drain_timeout = SHORT;
    close(become_child());
    lose_master();
    ck_assert_int_eq(said("master-gone"), 0); /* the worker's death is told elsewhere */
    ck_assert_int_eq(said("draining"), 0);
    obey_until(orders.state == STOPPING);
    expect_calls("removed *;drain;stop;");
    ck_assert_int_ne(orders.leave_at, 0);
}
END_TEST

UNIT_MAIN_AROUND("orders", setup, teardown, ONCE(serves_when_told), ONCE(rests_and_goes_on),
                 ONCE(looks_only_while_it_serves), ONCE(does_not_wait_unless_told),
                 ONCE(removed_goes_to_the_crew), ONCE(level_is_set_and_passed_on),
                 ONCE(log_is_replaced_in_place), ONCE(log_may_be_syslog),
                 ONCE(access_log_is_reopened), ONCE(reopened_is_acknowledged),
                 ONCE(reopened_waits_for_the_children),
                 ONCE(a_dead_child_may_be_the_last_that_owed),
                 EACH(unexpected_is_logged_and_its_descriptor_closed, unexpected),
                 EACH(message_of_the_wrong_direction_is_dropped, wrong_way),
                 ONCE(drain_is_acknowledged_when_quiet), ONCE(wake_means_nothing_while_it_serves),
                 ONCE(drain_without_operation_is_not_acknowledged),
                 ONCE(every_drain_is_acknowledged),
                 ONCE(drain_without_operation_does_not_hide_one),
                 ONCE(serve_does_not_undo_a_drain), ONCE(what_is_left_at_the_deadline_is_cut),
                 ONCE(drain_without_deadline_has_none),
                 EACH(only_a_nearer_deadline_is_taken, drains), ONCE(nearer_deadline_is_kept),
                 ONCE(stopping_takes_no_deadline), ONCE(sigterm_is_told_and_drains),
                 ONCE(both_signals_are_heard), ONCE(without_a_master_it_drains_and_lets_go),
                 ONCE(a_quiet_one_has_nothing_to_let_go),
                 ONCE(a_nearer_deadline_stays_without_a_master),
                 ONCE(without_a_master_a_stuck_worker_leaves),
                 ONCE(without_a_master_a_stopping_worker_leaves),
                 ONCE(child_lets_go_of_the_worker_s), ONCE(child_answers_reopened_only),
                 ONCE(child_is_stopped_by_its_worker), ONCE(child_hears_sigterm),
                 ONCE(child_outlives_its_worker_for_a_while))
