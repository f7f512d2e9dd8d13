/* Upgrade, as the old program does it; see upgrade.h. What the new one does is in succeed.c.
 *
 * Master, one upgrade at a time. Nothing waits: the self-test is a child whose words come through a
 * pipe, whose end comes by SIGCHLD, and that is killed at its deadline. Program and descriptor stay
 * the same from test to exec, whatever happens to the file's name meanwhile. Until the exec has
 * happened nothing has changed; whatever fails before costs this operation only. */
#include "config.h"

#include "master/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/carry.h"
#include "master/estate.h"
#include "master/generation.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/reactor.h"
#include "master/spawn.h"
#include "master/state.h"
#include "share/ending.h"

#define SAID_MAX 8192     /* bytes of what the self-test says that are kept */
#define CANNOT_EXECUTE 126 /* its exit status then, as a shell's */
#define NOT_NOW "the server does not serve: it starts, or stops"

extern char **environ;

static struct {
    struct operation *operation; /* NULL: no upgrade is under way */
    char *binary;
    int image;                   /* the new program */
    pid_t tester;                /* 0: it has ended */
    struct watch words;          /* of the tester */
    struct buf said;
    struct timer deadline;
    int64_t limit;               /* ms that the test may take */
    bool late;
    struct timer again;          /* nothing else is under way, perhaps */
} upgrade = {.image = -1, .words = {.fd = -1}};

static void forget_test(void)
{
    reactor_unwatch(&upgrade.words);
    sys_close(&upgrade.words.fd);
    buf_free(&upgrade.said);
}

static void finish(void)
{
    struct operation *operation = upgrade.operation;

    timer_cancel(&upgrade.deadline);
    timer_cancel(&upgrade.again);
    forget_test();
    sys_close(&upgrade.image);
    free(upgrade.binary);
    upgrade.binary = NULL;
    upgrade.operation = NULL;
    upgrade.tester = 0;
    upgrade.late = false;
    carry_forget();
    operation_ack(operation);
}

/* `why`: lines. */
static void refuse(const char *why)
{
    struct buf text = {0};

    buf_printf(&text, "%s: %.*s; reeved %s goes on", upgrade.binary, (int)strcspn(why, "\n"), why,
               VERSION);
    say(LOG_UPGRADE_FAILED, "%s", buf_text(&text));
    master_set_error(buf_text(&text));
    operation_result(upgrade.operation, CONTROL_REFUSED, "%s", buf_text(&text));
    buf_free(&text);
    finish();
}

static void refuse_errno(const char *what)
{
    struct buf why = {0};

    buf_printf(&why, "%s: %s", what, strerror(errno));
    refuse(buf_text(&why));
    buf_free(&why);
}

/* ---------------------------------------------------------------- exec ------------- */

/* Another operation is under way: what that waits for would be lost by an exec, so the upgrade waits
 * for its end, and then begins with the test. */
static bool must_wait(void)
{
    return operation_other(upgrade.operation) != NULL;
}

static bool serves(void)
{
    return master.state == MASTER_SERVING && master.serving;
}

static struct succession succession(void)
{
    return (struct succession){upgrade.operation->number, VERSION, upgrade.binary};
}

static void take_leave(const char *version)
{
    struct succession next = succession();
    int state;

    carry_forget();
    state = estate_write(&next);
    if (state < 0) {
        refuse_errno("the state cannot be written");
        return;
    }
    say(LOG_UPGRADE, "reeved %s hands over to reeved %s, %s", VERSION, version, upgrade.binary);
    carry_fd(spawn_image());
    carry_keep_open(true);
    succeed_exec(upgrade.image, master.options->argv,
                 strcmp(upgrade.binary, master.options->binary) == 0 ? NULL : upgrade.binary, state,
                 spawn_image(), NULL);
    carry_keep_open(false);
    sys_close(&state);
    refuse_errno("it cannot be executed");
}

/* ---------------------------------------------------------------- self-test -------- */

/* False: nothing is there, or no more to come. */
static bool hear(void)
{
    char room[4096];
    ssize_t n = read(upgrade.words.fd, room, sizeof(room));

    if (n > 0 && upgrade.said.length < SAID_MAX)
        buf_add(&upgrade.said, room, (size_t)n);
    if (n == 0)
        reactor_unwatch(&upgrade.words);
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
    upgrade.late = true;
    kill(-upgrade.tester, SIGKILL); /* with what it may have started */
    kill(upgrade.tester, SIGKILL);
}

/* The version that it answers with, in `room`. */
static bool answer(char *room, size_t size)
{
    const char *line = strstr(buf_text(&upgrade.said), UPGRADE_ANSWER);

    if (!line)
        return false;
    line += strlen(UPGRADE_ANSWER);
    snprintf(room, size, "%.*s", (int)strcspn(line, "\n"), line);
    return true;
}

/* What it said last is why. */
static void refuse_failed(int status)
{
    struct buf why = {0};
    const char *said = buf_text(&upgrade.said);

    buf_adds(&why, "its self-test ");
    if (upgrade.late) {
        buf_printf(&why, "has not ended within %lld ms (ready_timeout); killed",
                   (long long)upgrade.limit);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        buf_adds(&why, "gave no answer: this is no reeved that can take over");
    } else {
        ending_put(&why, status);
        if (*said)
            buf_printf(&why, ": %.*s", (int)strcspn(said, "\n"), said);
    }
    refuse(buf_text(&why));
    buf_free(&why);
}

static void tested(int status)
{
    char version[64];

    for (int i = 0; i < SAID_MAX / 4096 && hear(); i++)
        ;
    upgrade.tester = 0;
    timer_cancel(&upgrade.deadline);
    if (upgrade.late || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
        !answer(version, sizeof(version)))
        refuse_failed(status);
    else if (!serves())
        refuse(NOT_NOW);
    else if (must_wait())
        forget_test(); /* what was tested may change */
    else
        take_leave(version);
}

bool upgrade_reaped(pid_t pid, int status)
{
    if (!upgrade.tester || pid != upgrade.tester)
        return false;
    tested(status);
    return true;
}

/* In the child. */
static _Noreturn void become_tester(int words, int state, pid_t master_pid)
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
    execveat(upgrade.image, "", argv, environ, AT_EMPTY_PATH);
    dprintf(STDERR_FILENO, "it cannot be executed: %s\n", strerror(errno));
    _exit(CANNOT_EXECUTE);
}

static void begin_test(int state)
{
    pid_t own = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        refuse_errno("its self-test cannot be started");
        return;
    }
    sys_set_nonblock(ends[1], false);
    upgrade.words = (struct watch){.fd = ends[0], .ready = on_words};
    upgrade.tester = fork();
    if (upgrade.tester == 0)
        become_tester(ends[1], state, own);
    sys_close(&ends[1]);
    if (upgrade.tester < 0 || reactor_watch(&upgrade.words, EPOLLIN) < 0) {
        if (upgrade.tester > 0)
            kill(upgrade.tester, SIGKILL); /* then a stranger to be reaped */
        refuse_errno("its self-test cannot be started");
        return;
    }
    upgrade.deadline = (struct timer){.fire = on_late};
    upgrade.limit = master.serving->core.ready_timeout;
    timer_set(&upgrade.deadline, upgrade.limit);
}

/* ---------------------------------------------------------------- begin ------------ */

/* The program; -1 after a refusal. */
static int open_image(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), image;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        refuse_errno("it cannot be opened");
        sys_close(&fd);
        return -1;
    }
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) {
        refuse("it is not executable");
        sys_close(&fd);
        return -1;
    }
    image = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of what a worker finds at 3 */
    sys_close(&fd);
    if (image < 0)
        refuse_errno("it cannot be opened");
    return image;
}

static void begin(void)
{
    struct succession next = succession();
    int state;

    carry_forget();
    state = estate_write(&next);
    if (state < 0) {
        refuse_errno("the state cannot be written");
        return;
    }
    say(LOG_UPGRADE, "%s tests itself", upgrade.binary);
    begin_test(state);
    sys_close(&state);
}

static void on_again(void *arg)
{
    (void)arg;
    if (!upgrade.operation || upgrade.tester || must_wait())
        return;
    if (serves())
        begin();
    else
        refuse(NOT_NOW);
}

/* An operation has ended. Later, since whoever ended it is in the middle of something. */
static void on_operation_ended(void)
{
    if (upgrade.operation && !upgrade.tester)
        timer_set(&upgrade.again, 0);
}

struct operation *upgrade_request(const char *path)
{
    const char *binary = path ? path : master.options->binary;
    struct operation *operation = upgrade.operation;

    if (operation && strcmp(upgrade.binary, binary) == 0) {
        operation_wait(operation); /* the caller joins it */
        return operation;
    }
    operation = operation_new(VERB_UPGRADE);
    operation_wait(operation); /* the caller's join comes first */
    if (upgrade.operation) {
        operation_result(operation, CONTROL_REFUSED, "an upgrade to %s is under way (operation %u); "
                         "ask again when it has ended", upgrade.binary, upgrade.operation->number);
        operation_ack(operation);
        return operation;
    }
    upgrade.operation = operation;
    upgrade.binary = strdup(binary);
    if (!upgrade.binary)
        abort();
    upgrade.again = (struct timer){.fire = on_again};
    operation_watch(on_operation_ended);
    upgrade.image = open_image(upgrade.binary);
    if (upgrade.image >= 0)
        timer_set(&upgrade.again, 0);
    return operation;
}
