/* Words to the service manager; see notify.h.
 *
 * Master. What must hold: nothing here waits, and the manager hears lasting words in the order in
 * which they were said; while one of them waits no other overtakes it. The address is read once. */
#include "config.h"

#include "master/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "base/text.h"
#include "master/reactor.h"

#define AGAIN 50   /* ms until words that found no room are tried again */
#define WAITING 16 /* such words; beyond that the oldest is forgotten */

const char *const notify_environment[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", NULL};

static void on_again(void *arg);

static struct {
    int fd; /* -1: nobody wants to be told */
    struct sockaddr_un address;
    socklen_t length;
    int64_t watchdog;
    char *waiting[WAITING];
    int count;
    struct timer again;
    bool complained;
} to = {.fd = -1, .again = {.fire = on_again}};

bool notify_wanted(void)
{
    return to.fd >= 0;
}

int64_t notify_watchdog_usec(void)
{
    return to.watchdog;
}

static void complain(const char *what)
{
    if (!to.complained)
        log_msg(LOG_NOTIFY_FAILED, "the service manager is not told how we are: %s", what);
    to.complained = true;
}

/* "/path", or "@name" of the abstract name space. */
static bool read_address(const char *text)
{
    size_t length = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || length < 2 ||
        length >= sizeof(to.address.sun_path)) {
        complain("NOTIFY_SOCKET is neither an absolute path nor an abstract name");
        return false;
    }
    to.address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(to.address.sun_path, text, length);
    if (text[0] == '@')
        to.address.sun_path[0] = '\0';
    to.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '/'));
    return true;
}

static int64_t read_watchdog(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t value, owner;

    if (!usec || !text_int(usec, &value) || value <= 0)
        return 0;
    if (pid && (!text_int(pid, &owner) || owner != getpid()))
        return 0; /* meant for a process before us */
    return value;
}

void notify_open(void)
{
    const char *address = getenv("NOTIFY_SOCKET");

    if (!address || !read_address(address))
        return;
    to.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (to.fd < 0)
        complain(strerror(errno));
    else
        to.watchdog = read_watchdog();
}

/* True: it is said, or never will be. */
static bool say_now(const char *text)
{
    ssize_t n = sendto(to.fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                       (const struct sockaddr *)&to.address, to.length);

    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR))
        return false;
    if (n < 0)
        complain(strerror(errno));
    else
        to.complained = false;
    return true;
}

static void forget_oldest(void)
{
    free(to.waiting[0]);
    to.count--;
    memmove(to.waiting, to.waiting + 1, (size_t)to.count * sizeof(to.waiting[0]));
}

static void say_waiting(void)
{
    while (to.count > 0 && say_now(to.waiting[0]))
        forget_oldest();
}

static void on_again(void *arg)
{
    (void)arg;
    say_waiting();
    if (to.count > 0)
        timer_set(&to.again, AGAIN);
}

bool notify_send(const char *text, bool lasting)
{
    char *copy;

    if (to.fd < 0)
        return true;
    say_waiting();
    if (to.count == 0 && say_now(text))
        return true;
    copy = lasting ? strdup(text) : NULL;
    if (!copy)
        return false;
    if (to.count == WAITING)
        forget_oldest();
    to.waiting[to.count++] = copy;
    timer_set(&to.again, AGAIN);
    return true;
}

void notify_close(void)
{
    if (to.fd < 0)
        return;
    say_waiting();
    while (to.count > 0)
        forget_oldest();
    timer_cancel(&to.again);
    sys_close(&to.fd);
}
