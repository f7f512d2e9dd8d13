/* The self-test of a new program; see tester.h.
 *
 * Master, one at a time. Nothing waits: the test is a child whose words come through a pipe, whose
 * end comes by SIGCHLD, and that is killed at its deadline. Only the child changes what survives
 * its exec. */
#include "config.h"

#include "master/tester.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/carry.h"
#include "master/reactor.h"
#include "master/upgrade.h"
#include "share/ending.h"

#define PIECE 4096
#define SAID_MAX 8192      /* bytes of what it says that are kept */
#define CANNOT_EXECUTE 126 /* its exit status then, as a shell's */

extern char **environ;

static struct {
    pid_t pid;             /* 0: none runs */
    tester_ended *ended;
    struct watch words;
    struct buf said;
    struct timer deadline;
    int64_t limit;         /* ms */
    bool late;
} tester = {.words = {.fd = -1}};

bool tester_runs(void)
{
    return tester.pid > 0;
}

/* False: nothing is there, or no more to come. */
static bool hear(void)
{
    char room[PIECE];
    ssize_t n = read(tester.words.fd, room, sizeof(room));

    if (n > 0 && tester.said.length < SAID_MAX)
        buf_add(&tester.said, room, (size_t)n);
    if (n == 0)
        reactor_unwatch(&tester.words);
    return n > 0;
}

static void on_words(void *arg, uint32_t events)
{
    (void)arg;
    (void)events;
    hear();
}

static void on_late(void *arg)
{
    (void)arg;
    tester.late = true;
    kill(-tester.pid, SIGKILL); /* with what it may have started */
    kill(tester.pid, SIGKILL);
}

static void clean_up(void)
{
    tester.pid = 0;
    tester.late = false;
    timer_cancel(&tester.deadline);
    reactor_unwatch(&tester.words);
    sys_close(&tester.words.fd);
    buf_free(&tester.said);
}

/* ---------------------------------------------------------------- the end ---------- */

/* The version that it answers with. */
static bool answer(struct buf *version)
{
    const char *line = strstr(buf_text(&tester.said), UPGRADE_ANSWER);

    if (!line)
        return false;
    line += strlen(UPGRADE_ANSWER);
    buf_add(version, line, strcspn(line, "\n"));
    return true;
}

static void put_why(struct buf *why, int status)
{
    const char *said = buf_text(&tester.said);

    buf_adds(why, "its self-test ");
    if (tester.late) {
        buf_printf(why, "has not ended within %lld ms (ready_timeout); killed",
                   (long long)tester.limit);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        buf_adds(why, "gave no answer: this is no reeved that can take over");
    } else {
        ending_put(why, status);
        if (*said)
            buf_printf(why, ": %.*s", (int)strcspn(said, "\n"), said);
    }
}

bool tester_reaped(pid_t pid, int status)
{
    struct buf text = {0};
    bool ok;

    if (!tester.pid || pid != tester.pid)
        return false;
    for (int i = 0; i < SAID_MAX / PIECE && hear(); i++)
        ;
    ok = !tester.late && WIFEXITED(status) && WEXITSTATUS(status) == 0 && answer(&text);
    if (!ok)
        put_why(&text, status);
    clean_up();
    tester.ended(ok, buf_text(&text));
    buf_free(&text);
    return true;
}

/* ---------------------------------------------------------------- the start -------- */

/* In the child. */
static _Noreturn void become_tester(int words, int image, int state, pid_t master_pid)
{
    char number[16];
    char *const argv[] = {"reeved", UPGRADE_TEST, number, NULL};
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != master_pid)
        _exit(1);
    setsid();
    snprintf(number, sizeof(number), "%d", state);
    dup2(null_fd, STDIN_FILENO);
    dup2(words, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
    carry_keep_open(true);
    execveat(image, "", argv, environ, AT_EMPTY_PATH);
    dprintf(STDERR_FILENO, "it cannot be executed: %s\n", strerror(errno));
    _exit(CANNOT_EXECUTE);
}

int tester_start(int image, int state, int64_t limit, tester_ended *ended)
{
    pid_t own = getpid(), pid;
    int ends[2], saved;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    sys_set_nonblock(ends[1], false);
    pid = fork();
    if (pid == 0)
        become_tester(ends[1], image, state, own);
    sys_close(&ends[1]);
    tester.words = (struct watch){.fd = ends[0], .ready = on_words};
    if (pid < 0 || reactor_watch(&tester.words, EPOLLIN) < 0) {
        saved = errno;
        if (pid > 0)
            kill(pid, SIGKILL); /* then a stranger to be reaped */
        clean_up();
        errno = saved;
        return -1;
    }
    tester.pid = pid;
    tester.ended = ended;
    tester.limit = limit;
    tester.deadline = (struct timer){.fire = on_late};
    timer_set(&tester.deadline, limit);
    return 0;
}
