/* Upgrade, as the old program does it; see upgrade.h. What the new one does is in succeed.c.
 *
 * Master, one upgrade at a time. Program and descriptor stay the same from test to exec, whatever
 * happens to the file's name meanwhile. Until the exec has happened nothing has changed; whatever
 * fails before costs this operation only. */
#include "config.h"

#include "master/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
#include "master/tester.h"

#define NOT_NOW "the server does not serve: it starts, or stops"

static struct {
    struct operation *operation; /* NULL: no upgrade is under way */
    char *binary;
    int image;                   /* the new program */
    struct timer again;          /* nothing else is under way, perhaps */
} upgrade = {.image = -1};

static void finish(void)
{
    struct operation *operation = upgrade.operation;

    timer_cancel(&upgrade.again);
    sys_close(&upgrade.image);
    free(upgrade.binary);
    upgrade.binary = NULL;
    upgrade.operation = NULL;
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

/* Another operation is under way: what that waits for would be lost by an exec, so the upgrade
 * waits for its end, and then begins with the test. */
static bool must_wait(void)
{
    return operation_other(upgrade.operation) != NULL;
}

static bool serves(void)
{
    return master.state == MASTER_SERVING && master.serving;
}

/* A descriptor of all that the next program is handed; -1 after a refusal. */
static int write_state(void)
{
    struct succession next = {upgrade.operation->number, VERSION, upgrade.binary};
    int state;

    carry_forget();
    state = estate_write(&next);
    if (state < 0)
        refuse_errno("the state cannot be written");
    return state;
}

static void take_leave(const char *version)
{
    int state = write_state();

    if (state < 0)
        return;
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

static void tested(bool passed, const char *text)
{
    if (!passed)
        refuse(text);
    else if (!serves())
        refuse(NOT_NOW);
    else if (!must_wait()) /* else what was tested may change */
        take_leave(text);
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
    int state = write_state();

    if (state < 0)
        return;
    say(LOG_UPGRADE, "%s tests itself", upgrade.binary);
    if (tester_start(upgrade.image, state, master.serving->core.ready_timeout, tested) < 0)
        refuse_errno("its self-test cannot be started");
    sys_close(&state);
}

static void on_again(void *arg)
{
    (void)arg;
    if (!upgrade.operation || tester_runs() || must_wait())
        return;
    if (serves())
        begin();
    else
        refuse(NOT_NOW);
}

/* An operation has ended. Later, since whoever ended it is in the middle of something. */
static void on_operation_ended(void)
{
    if (upgrade.operation && !tester_runs())
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
        operation_result(operation, CONTROL_REFUSED,
                         "an upgrade to %s is under way (operation %u); ask again when it has "
                         "ended", upgrade.binary, upgrade.operation->number);
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
