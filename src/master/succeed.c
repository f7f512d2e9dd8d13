/* Upgrade, as the new program does it; see upgrade.h. What the old one does is in upgrade.c.
 *
 * Master. After the exec, signals are still blocked and those that came meanwhile still pending. If
 * the state cannot be taken over, the program that wrote it is executed again, with the very same
 * state: nothing that it holds may have been touched until then. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "master/carry.h"
#include "master/estate.h"
#include "master/generation.h"
#include "master/manager.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/reactor.h"
#include "master/reload.h"
#include "master/signals.h"
#include "master/spawn.h"
#include "master/state.h"
#include "master/upgrade.h"
#include "share/snapshot.h"

extern char **environ;

static struct succession inherited;
static struct operation *upgrading;
static char *failure; /* why the new program did not take over: this is the old one again */

/* ---------------------------------------------------------------- exec ------------- */

void succeed_exec(int image, char **argv, const char *binary, int state, int old_image,
                  const char *why)
{
    char numbers[64], *first = argv[0];

    snprintf(numbers, sizeof(numbers), "%d:%d:%d", (int)getpid(), state, old_image);
    if (setenv(SUCCEED_VARIABLE, numbers, 1) < 0 || (why && setenv(SUCCEED_FAILED, why, 1) < 0))
        return;
    if (binary)
        argv[0] = (char *)(uintptr_t)binary;
    execveat(image, "", argv, environ, AT_EMPTY_PATH);
    argv[0] = first;
    unsetenv(SUCCEED_VARIABLE);
    unsetenv(SUCCEED_FAILED);
}

/* ---------------------------------------------------------------- rehearsal -------- */

static bool take_over(int state, struct buf *error)
{
    log_thread_name("master");
    clock_refresh();
    if (reactor_open() < 0 || spawn_open() < 0) {
        buf_printf(error, "the master cannot start: %s\n", strerror(errno));
        return false;
    }
    return estate_take(state, &inherited, error);
}

const struct snapshot *succeed_rehearse(int state, struct buf *error)
{
    return take_over(state, error) ? master.serving->snapshot : NULL;
}

/* ---------------------------------------------------------------- succession ------- */

static struct {
    int state, image; /* the program that wrote the state */
} handed = {-1, -1};

bool succeed_is_due(void)
{
    const char *numbers = getenv(SUCCEED_VARIABLE), *why = getenv(SUCCEED_FAILED);
    int pid = 0;
    bool due = numbers && sscanf(numbers, "%d:%d:%d", &pid, &handed.state, &handed.image) == 3 &&
               pid == getpid();

    if (due && why)
        failure = strdup(why);
    unsetenv(SUCCEED_VARIABLE);
    unsetenv(SUCCEED_FAILED);
    return due;
}

static void go_back(char **argv, const char *why)
{
    if (!failure)
        succeed_exec(handed.image, argv, NULL, handed.state, handed.image, why);
    /* Nobody is left to go on. Workers drain and end with their channels. */
    fprintf(stderr, "reeved %s: the state of the master is lost: %s", VERSION, why);
    log_msg(LOG_UPGRADE_FAILED, "the state of the master is lost: %s", why);
}

/* The result of the reload that follows becomes that of the upgrade. */
static void upgrade_ended(void)
{
    bool done = upgrading->code == CONTROL_DONE;
    struct buf text = {0};

    buf_printf(&text, "reeved %s -> %s%s%s", inherited.from, VERSION,
               done ? ": " : ", but its workers cannot serve, and the old ones serve on: ",
               buf_text(&upgrading->text));
    operation_result(upgrading, upgrading->code, "%s", buf_text(&text));
    buf_free(&text);
    reload_ended();
}

/* The state has been taken over; from here on the outside may be touched. */
static void settle(void)
{
    struct operation *operation = operation_resume(VERB_UPGRADE, inherited.operation);

    carry_settle();
    sys_close(&handed.state);
    sys_close(&handed.image);
    kill(getpid(), SIGCHLD); /* to reap once: blocked, it waits for the reactor */
    manager_goes_on(!failure);
    if (failure) {
        say(LOG_UPGRADE_FAILED, "%s: %.*s; reeved %s goes on", inherited.binary,
            (int)strcspn(failure, "\n"), failure, VERSION);
        master_set_error(failure);
        operation_result(operation, CONTROL_ROLLED_BACK, "%s: %.*s; reeved %s goes on",
                         inherited.binary, (int)strcspn(failure, "\n"), failure, VERSION);
        operation_ack(operation);
        return;
    }
    say(LOG_UPGRADE, "reeved %s has taken over from reeved %s", VERSION, inherited.from);
    upgrading = operation;
    operation->ended = upgrade_ended;
    reload_same(operation);
}

/* Where the program is found the next time. */
static void set_options(char **argv)
{
    static struct options options;

    options = *master.options;
    options.argv = argv;
    if (!failure)
        options.binary = inherited.binary;
    master.options = &options;
}

bool succeed(char **argv)
{
    struct buf error = {0};
    bool ok;

    prctl(PR_SET_NAME, "reeved"); /* an exec by descriptor has made it a number */
    carry_fd(handed.state);
    carry_fd(handed.image);
    ok = take_over(handed.state, &error);
    if (ok && signals_open() < 0) {
        buf_printf(&error, "the master cannot start: %s\n", strerror(errno));
        ok = false;
    }
    if (ok) {
        set_options(argv);
        settle();
    } else {
        go_back(argv, buf_text(&error));
    }
    buf_free(&error);
    return ok;
}
