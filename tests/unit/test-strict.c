/* src/worker/strict.c: what the filter lets pass, with nobody to ask; each try in a process of its
 * own. And src/master/refusals.c: what a worker says of its sandbox, in its right mind and not. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf-help.h"
#include "base/sys.h"
#include "master/generation.h"
#include "master/refusals.h"
#include "master/workers.h"
#include "unit.h"
#include "worker/strict.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* its own calls are allowed, see strict.c */
#else
#define SANITIZED false
#endif

/* ---------------------------------------------------------------- the filter ------- */

#ifdef HAVE_SECCOMP
static int try_mount(void)
{
    return mount(NULL, "/", NULL, MS_REMOUNT, NULL);
}
static int try_fork(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid < 0 || waitpid(pid, &status, 0) < 0 ? -1 : 0;
}
static int try_execve(void)
{
    char *const none[] = {NULL};

    return execve("/nowhere/program", none, none);
}
static int try_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}
static int try_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0);
}
static int try_kill_self(void)
{
    return kill(getpid(), 0);
}
static int try_kill_other(void)
{
    return kill(getppid(), 0);
}
/* Has the kernel send a signal: to the caller, or to its parent. */
static int have_sent(pid_t to)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return -1;
    return fcntl(pair[0], F_SETOWN, to) < 0 || fcntl(pair[0], F_SETSIG, SIGURG) < 0 ? -1 : 0;
}
static int try_send_self(void)
{
    return have_sent(getpid());
}
static int try_send_other(void)
{
    return have_sent(getppid());
}
static int try_flags(void)
{
    int pair[2];

    if (pipe(pair) < 0)
        return -1;
    return fcntl(pair[0], F_SETFD, FD_CLOEXEC) < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ||
                   fcntl(pair[0], F_GETFL) < 0 || fcntl(pair[0], F_DUPFD_CLOEXEC, 10) < 0 ? -1 : 0;
}
static int try_new_namespace(void)
{
    return (int)syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, NULL);
}
static int try_clone3(void)
{
    return (int)syscall(SYS_clone3, NULL, 0);
}

/* In the process that tries. The errno it met, 0: none. */
static int attempt(struct strict_needs needs, bool child, int (*try)(void))
{
    int listener = -1;

    if (strict_enter(&needs, &listener) < 0)
        return 255;
    sys_close(&listener); /* so the kernel says no by itself */
    if (child && strict_enter_child(needs.runs_programs) < 0)
        return 254;
    errno = 0;
    return try() >= 0 ? 0 : errno;
}

static int outcome_of(const char *conf, bool forks, bool runs, bool child, int (*try)(void))
{
    struct help help = help_parse(conf, NULL, false);
    struct strict_needs needs = {conf_root(help.conf), forks, runs};
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(attempt(needs, child, try));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "it was killed: %d", status);
    help_end(&help);
    return WEXITSTATUS(status);
}

/* ENOSYS of a kernel that has asked, EPERM of one that cannot. */
static void is_refused(int outcome, const char *what)
{
    ck_assert_msg(outcome == ENOSYS || outcome == EPERM, "%s: %d", what, outcome);
}

START_TEST(a_worker_is_refused_what_is_not_listed)
{
    is_refused(outcome_of("", false, false, false, try_mount), "mount");
    is_refused(outcome_of("", false, false, false, try_netlink), "netlink");
    is_refused(outcome_of("", false, false, false, try_execve), "execve");
    if (!SANITIZED) {
        is_refused(outcome_of("", false, false, false, try_fork), "fork");
        is_refused(outcome_of("", false, false, false, try_kill_other), "kill");
    }
    is_refused(outcome_of("", false, false, false, try_send_other), "a signal by F_SETOWN");
    is_refused(outcome_of("", false, false, false, try_send_self), "one to itself");
    ck_assert_int_eq(outcome_of("", false, false, false, try_flags), 0);
    ck_assert_int_eq(outcome_of("", false, false, false, try_unix), 0);
    ck_assert_int_eq(outcome_of("", false, false, false, try_kill_self), 0);
    ck_assert_int_eq(outcome_of("", false, false, false, try_clone3), ENOSYS);
}
END_TEST

START_TEST(a_worker_that_forks_may_and_its_processes_may_not)
{
    ck_assert_int_eq(outcome_of("", true, false, false, try_fork), 0);
    ck_assert_int_eq(outcome_of("", true, false, false, try_kill_other), 0);
    if (!SANITIZED)
        is_refused(outcome_of("", true, false, false, try_new_namespace), "a namespace");
    ck_assert_int_eq(outcome_of("", true, false, true, try_fork), EPERM);
    ck_assert_int_eq(outcome_of("", true, false, true, try_kill_other), EPERM);
    ck_assert_int_eq(outcome_of("", true, false, true, try_kill_self), 0);
}
END_TEST

START_TEST(programs_are_run_where_a_module_has_said_so)
{
    ck_assert_int_eq(outcome_of("", false, true, false, try_fork), 0);
    ck_assert_int_eq(outcome_of("", false, true, false, try_execve), ENOENT);
    ck_assert_int_eq(outcome_of("", true, true, true, try_fork), 0);
    is_refused(outcome_of("", false, true, false, try_mount), "mount");
}
END_TEST

START_TEST(the_operator_allows_more)
{
    const char *more = "sandbox_calls = { \"socket\", \"execve\" }\n";

    ck_assert_int_ne(outcome_of(more, false, false, false, try_netlink), EPERM);
    ck_assert_int_ne(outcome_of(more, false, false, false, try_netlink), ENOSYS);
    ck_assert_int_eq(outcome_of(more, false, false, false, try_execve), ENOENT);
    is_refused(outcome_of(more, false, false, false, try_mount), "mount");
}
END_TEST
#define FILTER_TESTS                                                                               \
    ONCE(a_worker_is_refused_what_is_not_listed),                                                  \
        ONCE(a_worker_that_forks_may_and_its_processes_may_not),                                   \
        ONCE(programs_are_run_where_a_module_has_said_so), ONCE(the_operator_allows_more)
#else
START_TEST(without_libseccomp_it_is_refused)
{
    struct help help = help_parse("sandbox = \"strict\"\n", NULL, false);

    conf_collect_errors(&help.errors);
    ck_assert(!strict_is_possible(conf_root(help.conf)));
    ck_assert_ptr_nonnull(strstr(buf_text(&help.errors), "built without libseccomp"));
    help.errors.length = 0;
    help_end(&help);
}
END_TEST
#define FILTER_TESTS ONCE(without_libseccomp_it_is_refused)
#endif

/* ---------------------------------------------------------------- the master ------- */

static struct generation generation;
static struct worker worker;

static json_t *said(const char *text)
{
    struct msg msg = {.type = MSG_SANDBOX, .fd = -1, .text = text, .length = strlen(text)};

    free(generation.sandbox);
    generation.sandbox = NULL;
    worker = (struct worker){.generation = &generation, .channel.fd = -1, .refusals.watch.fd = -1};
    refusals_hear(&worker, &msg);
    return refusals_report(&generation);
}

static void check_level(const char *text, const char *level, const char *note)
{
    json_t *report = said(text);

    ck_assert_str_eq(json_string_value(json_object_get(report, "level")), level);
    ck_assert_str_eq(json_string_value(json_object_get(report, "note")), note);
    json_decref(report);
}

START_TEST(what_a_worker_says_of_its_sandbox_is_shown_cleaned)
{
    json_t *nothing = refusals_report(NULL);

    ck_assert(json_is_null(nothing));
    check_level("reeve\nfiles calls\n", "strict", "");
    check_level("reeve\n calls\nno Landlock", "strict", "no Landlock");
    check_level("\nfiles \nwhy", "files", "why");
    check_level("files\n \nfiles calls", "off", "files calls");
    check_level("reeve\n \n\x1b[2J", "off", "\\x1b[2J");
    nothing = said("reeve\nfiles calls: no third line");
    ck_assert(json_is_null(nothing));
    free(generation.sandbox);
    generation.sandbox = NULL;
}
END_TEST

START_TEST(a_descriptor_that_is_no_listener_is_not_taken)
{
    struct msg msg = {.type = MSG_SANDBOX, .text = "files calls\n"};
    int pair[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    generation.core.strict = true;
    worker = (struct worker){.generation = &generation, .channel.fd = -1, .refusals.watch.fd = -1};
    msg.fd = pair[0];
    refusals_hear(&worker, &msg);
    ck_assert_int_eq(msg.fd, -1);
    ck_assert_int_eq(worker.refusals.watch.fd, -1);
    ck_assert_int_eq(read(pair[1], &byte, 1), 0); /* it was closed */
    close(pair[1]);
    free(generation.sandbox);
    generation.sandbox = NULL;
}
END_TEST

UNIT_MAIN("strict", FILTER_TESTS, ONCE(what_a_worker_says_of_its_sandbox_is_shown_cleaned),
          ONCE(a_descriptor_that_is_no_listener_is_not_taken))
