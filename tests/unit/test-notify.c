/* Words to the service manager: addresses, whose watchdog it is, and what waits while nobody
 * reads. The manager's end is a socket of this file. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/notify.h"
#include "master/reactor.h"
#include "temp.h"
#include "unit.h"

#define now clock_kept_ms
_Thread_local int64_t clock_kept_ms = 1000, clock_kept_time;

void clock_refresh(void) {}
int64_t clock_fresh_ms(void) { return now; }
void clock_stamp(char stamp[CLOCK_STAMP]) { stamp[0] = '\0'; }

static int heard_by;

static void listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    heard_by = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(heard_by, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path, 1);
}

static const char *hear(void)
{
    static char text[256];
    ssize_t n = recv(heard_by, text, sizeof(text) - 1, 0);

    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static void before(void)
{
    temp_make();
    ck_assert_int_eq(reactor_open(), 0);
    for (size_t i = 0; notify_environment[i]; i++)
        unsetenv(notify_environment[i]);
}

START_TEST(says_nothing_unless_asked)
{
    notify_open();
    ck_assert(!notify_wanted());
    ck_assert(notify_send("READY=1", true));
    ck_assert_int_eq(notify_watchdog_usec(), 0);
    notify_close();
}
END_TEST

START_TEST(says)
{
    listen_at(temp_path("n"));
    notify_open();
    ck_assert(notify_wanted());
    ck_assert(notify_send("READY=1\nSTATUS=x", true));
    ck_assert_str_eq(hear(), "READY=1\nSTATUS=x");
    notify_close();
    ck_assert(!notify_wanted());
}
END_TEST

static const char *const no_addresses[] = {"", "/", "@", "relative", "vsock:2:1",
    "/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/"
    "0123456789/0123456789"};

START_TEST(refuses_address)
{
    setenv("NOTIFY_SOCKET", no_addresses[_i], 1);
    notify_open();
    ck_assert(!notify_wanted());
}
END_TEST

static const struct {
    const char *usec;
    int pid; /* 0: none is said; 1: ours; 2: another's */
    int64_t expected;
} watchdogs[] = {{"30000000", 0, 30000000}, {"30000000", 1, 30000000}, {"30000000", 2, 0},
                 {"-1", 0, 0}, {"soon", 0, 0}, {"0", 0, 0}, {NULL, 1, 0}};

START_TEST(knows_whose_watchdog_it_is)
{
    char pid[16];

    listen_at(temp_path("n"));
    snprintf(pid, sizeof(pid), "%d", (int)getpid() + (watchdogs[_i].pid == 2));
    if (watchdogs[_i].usec)
        setenv("WATCHDOG_USEC", watchdogs[_i].usec, 1);
    if (watchdogs[_i].pid)
        setenv("WATCHDOG_PID", pid, 1);
    notify_open();
    ck_assert_int_eq(notify_watchdog_usec(), watchdogs[_i].expected);
}
END_TEST

START_TEST(lasting_words_wait_in_order)
{
    char word[32];
    int said = 0, last = 0;

    listen_at(temp_path("n"));
    notify_open();
    while (notify_send("NOISE=1", false)) /* until nobody has room */
        ck_assert_int_lt(++said, 100000);
    for (int i = 1; i <= 20; i++) { /* more than can wait: the oldest are forgotten */
        snprintf(word, sizeof(word), "WORD=%d", i);
        ck_assert(notify_send(word, true));
    }
    ck_assert(!notify_send("NOISE=2", false));
    for (; said > 0; said--)
        ck_assert_str_eq(hear(), "NOISE=1");
    ck_assert_str_eq(hear(), "");
    for (int turn = 0; turn < 100 && last < 20; turn++) {
        now += 50;
        reactor_turn();
        for (const char *text = hear(); *text; text = hear()) {
            last = last ? last + 1 : 5; /* 16 of 20 */
            snprintf(word, sizeof(word), "WORD=%d", last);
            ck_assert_str_eq(text, word);
        }
    }
    ck_assert_int_eq(last, 20);
    ck_assert(notify_send("NOISE=3", false));
    ck_assert_str_eq(hear(), "NOISE=3");
}
END_TEST

START_TEST(nobody_there_is_no_failure)
{
    listen_at(temp_path("n"));
    notify_open();
    close(heard_by);
    unlink(temp_path("n"));
    ck_assert(notify_send("READY=1", true));
    ck_assert(notify_send("STOPPING=1", true));
    notify_close();
}
END_TEST

UNIT_MAIN_AROUND("notify", before, temp_remove, ONCE(says_nothing_unless_asked), ONCE(says),
                 EACH(refuses_address, no_addresses), EACH(knows_whose_watchdog_it_is, watchdogs),
                 ONCE(lasting_words_wait_in_order), ONCE(nobody_there_is_no_failure))
