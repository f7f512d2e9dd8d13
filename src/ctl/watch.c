/* status --watch: asks once a second and draws. reevectl, one thread.
 *
 * On a terminal it draws in place and reads single keys; the terminal's settings are put back on
 * every way out, signals included. Without a terminal it prints one picture after the other. */
#include "config.h"

#include "ctl/watch.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "ctl/show.h"
#include "ctl/talk.h"

#define TURN_MS 1000

static struct termios saved; /* read by the signal handler */
static volatile sig_atomic_t keys;

static void keys_off(void)
{
    if (keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    keys = 0;
}

/* Ctrl-C is the usual way to leave: not an error. */
static void leave(int signal)
{
    keys_off();
    _exit(signal == SIGINT ? 0 : 128 + signal);
}

static void keys_on(void)
{
    struct sigaction action = {.sa_handler = leave};
    struct termios raw;

    sigaction(SIGINT, &action, NULL);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &saved) != 0)
        return;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    raw = saved;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    keys = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Waits until `until`; true: the user wants to leave. */
static bool wait_turn(int64_t until)
{
    for (;;) {
        struct pollfd p = {.fd = keys ? STDIN_FILENO : -1, .events = POLLIN};
        int64_t left = until - clock_fresh_ms();
        char key;

        if (left <= 0)
            return false;
        if (poll(&p, 1, (int)left) > 0 &&
            (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q'))
            return true;
    }
}

/* Draws over the old picture, no more lines than the window has. */
static int draw(const struct buf *picture)
{
    const char *text = buf_text(picture);
    struct winsize size = {0};
    struct buf out = {0};
    int rows = INT16_MAX;
    int result;

    if (!isatty(STDOUT_FILENO)) {
        buf_adds(&out, text);
        buf_addc(&out, '\n');
    } else {
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
            rows = size.ws_row - 1;
        buf_adds(&out, "\033[?7l\033[H"); /* long lines are cut, not wrapped */
        for (; *text && rows > 0; rows--) {
            size_t length = strcspn(text, "\n");

            buf_add(&out, text, length);
            buf_adds(&out, "\033[K\n");
            text += length + (text[length] == '\n');
        }
        buf_adds(&out, "\033[J\033[?7h");
    }
    result = sys_write_all(STDOUT_FILENO, out.data, out.length);
    buf_free(&out);
    return result;
}

static void no_event(const json_t *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void put_picture(struct buf *picture, json_t *data, const struct before *before, bool json,
                        bool colours)
{
    char *text = NULL;

    if (!json) {
        show_status(data, before, colours, picture);
    } else if ((text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(15)))) {
        buf_printf(picture, "%s\n", text);
        free(text);
    }
}

/* One turn. Returns the result's code. */
static int turn(struct client *client, const struct request *request, struct before *before,
                bool json, bool colours, struct buf *error)
{
    struct buf picture = {0};
    json_t *result;
    int code = talk(client, request, no_event, NULL, &result, error);

    if (result && code == CONTROL_DONE) {
        json_t *data = json_object_get(result, "data");

        put_picture(&picture, data, before, json, colours);
        if ((json ? sys_write_all(STDOUT_FILENO, picture.data, picture.length)
                  : draw(&picture)) != 0)
            code = CONTROL_REFUSED;
        json_decref(before->data);
        before->data = json_incref(data);
    } else if (result) {
        show_text(error, json_text(result, "text"));
    }
    json_decref(result);
    buf_free(&picture);
    return code;
}

int watch(struct client *client, const struct request *request, bool json, bool colours,
          struct buf *error)
{
    struct before before = {0};
    int64_t last = clock_fresh_ms();
    bool left = false;
    int code = CONTROL_DONE;

    keys_on();
    if (isatty(STDOUT_FILENO) && !json)
        sys_write_all(STDOUT_FILENO, "\033[2J", 4);
    while (code == CONTROL_DONE && !left) {
        int64_t now = clock_fresh_ms();

        before.seconds = (double)(now - last) / 1000;
        last = now;
        code = turn(client, request, &before, json, colours, error);
        left = code == CONTROL_DONE && wait_turn(now + TURN_MS);
    }
    keys_off();
    json_decref(before.data);
    return code;
}
