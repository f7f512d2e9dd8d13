/* A process for each connection: what parent and child hold, how its end is told, messages and
 * what is owed for them, records.
 *
 * There is no loop here: loop_launched_ended() is a stand-in, and a child obeys letters that the
 * test writes to it over the connection (obey(), below). The linker puts __wrap_fork in the place
 * of fork, so that it can be made to fail. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "share/channel.h"
#include "unit.h"
#include "worker/children.h"

#define MOST 8

static struct board_segment *segment;
static struct children *children;
static struct children_settings settings;
static struct loop *const front = (struct loop *)(void *)&settings; /* never followed */
static int ended, crashes, log_fd;
static char sentence[1024];
static bool fork_fails;

/* ---------------------------------------------------------------- stand-ins -------- */

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
    if (!fork_fails)
        return __real_fork();
    errno = EAGAIN;
    return -1;
}

void loop_launched_ended(struct loop *loop)
{
    ck_assert_ptr_eq(loop, front);
    ended++;
}

static void on_crash(pid_t pid, const char *text)
{
    (void)pid;
    snprintf(sentence, sizeof(sentence), "%s", text);
    crashes++;
}

/* ---------------------------------------------------------------- the child -------- */

static int open_fds(int type)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    for (struct dirent *entry; (entry = readdir(folder));) {
        int fd = atoi(entry->d_name), is;
        socklen_t length = sizeof(is);

        if (entry->d_name[0] == '.' || fd == dirfd(folder))
            continue;
        if (type == 0 || (getsockopt(fd, SOL_SOCKET, SO_TYPE, &is, &length) == 0 && is == type))
            count++;
    }
    closedir(folder);
    return count;
}

static void show(struct board_thread *shown)
{
    board_set(&shown->pid, (uint32_t)getpid());
    board_set(&shown->connections, 1);
    board_set(&shown->busy_since, 1);
    board_set(&shown->state, BOARD_BUSY);
    board_add(&shown->accepted, 1);
    strcpy(shown->protocol, "talk");
    board_label(shown, "GET /x", 6);
}

/* r: number of the record   n: how many channels are open here   s: shows itself on the board
 * m: takes a message, answers its type, writes to its descriptor   a: sends an acknowledgement
 * c: closes its channel   e: ends with status 3   k: a signal   q: ends with status 0   b: back */
static char obey(char letter, unsigned record, int channel)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct msg msg = {.type = MSG_ACK, .fd = -1};

    switch (letter) {
    case 'r':
        return (char)('0' + record);
    case 'n':
        return (char)('0' + open_fds(SOCK_SEQPACKET));
    case 's':
        show(&segment->thread[record]);
        return 's';
    case 'm':
        if (channel_recv(channel, &msg, room, TO_WORKER) != 1)
            return '-';
        if (msg.fd >= 0 && write(msg.fd, "w", 1) != 1)
            return '!';
        return (char)('A' + msg.type);
    case 'a':
        return channel_send(channel, &msg) == 0 ? 'a' : '!';
    case 'c':
        close(channel);
        return 'c';
    case 'e':
        _exit(3);
    case 'k':
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        return '!';
    default:
        _exit(letter == 'q' ? 0 : 99);
    }
}

static void become(const struct accepted *accepted, unsigned record, int channel)
{
    char letter;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
    while (read(accepted->fd, &letter, 1) == 1 && letter != 'b') {
        letter = obey(letter, record, channel);
        if (write(accepted->fd, &letter, 1) != 1)
            break;
    }
}

/* ---------------------------------------------------------------- helpers ---------- */

static void setup(void)
{
    struct rlimit none = {0};

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGPIPE, SIG_IGN);
    log_fd = memfd_create("log", MFD_CLOEXEC);
    log_open(log_fd, LOG_TEXT);
    segment = mmap(NULL, sizeof(*segment), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    ck_assert_ptr_ne(segment, MAP_FAILED);
    board_set(&segment->threads, 1);
    settings = (struct children_settings){.most = MOST, .segment = segment, .become = become,
                                          .crashed = on_crash,
                                          .orders_fd = epoll_create1(EPOLL_CLOEXEC)};
    children = children_new(&settings);
    ck_assert_ptr_nonnull(children);
}

/* Waits for the ends of children until so many are left. */
static void reap_to(int left)
{
    siginfo_t info;

    for (;;) {
        children_reap(children);
        if (children_count(children) == left)
            return;
        ck_assert_int_gt(children_count(children), left);
        ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    }
}

static void teardown(void)
{
    children_kill(children);
    reap_to(0);
    children_free(&children);
    ck_assert_ptr_null(children);
    munmap(segment, sizeof(*segment));
}

static struct accepted accept_one(int *client)
{
    static struct listener listener = {.protocol_name = "echo"};
    struct timeval limit = {.tv_sec = 20};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    *client = pair[0];
    return (struct accepted){.fd = pair[1], .listener = &listener};
}

static int begin(void)
{
    int client;
    struct accepted accepted = accept_one(&client);

    ck_assert_int_eq(children_fork(children, front, &accepted), 0);
    return client;
}

static void say(int client, char letter)
{
    ck_assert_int_eq(write(client, &letter, 1), 1);
}

static char ask(int client, char letter)
{
    char answer;

    say(client, letter);
    ck_assert_int_eq(read(client, &answer, 1), 1);
    return answer;
}

static void expect_end(int client)
{
    char byte;

    ck_assert_int_eq(read(client, &byte, 1), 0);
    close(client);
}

static void tell(enum msg_type type, int fd)
{
    children_tell(children, &(struct msg){.type = type, .fd = fd});
}

/* What epoll tells, as the orders do it. */
static void hear_one(void)
{
    struct epoll_event event;

    ck_assert_int_eq(epoll_wait(settings.orders_fd, &event, 1, 20000), 1);
    children_hear(children, (unsigned)event.data.u64);
}

static bool any_word(void)
{
    struct epoll_event event;

    return epoll_wait(settings.orders_fd, &event, 1, 0) > 0;
}

static bool logged(const char *word)
{
    char text[4096];
    ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return strstr(text, word) != NULL;
}

/* ---------------------------------------------------------------- life ------------- */

START_TEST(child_has_the_connection_and_ends_silently)
{
    int client, before = open_fds(0);
    struct accepted accepted = accept_one(&client);

    ck_assert_int_eq(children_fork(children, front, &accepted), 0);
    ck_assert_int_eq(fcntl(accepted.fd, F_GETFD), -1); /* the parent has no copy */
    ck_assert_int_eq(errno, EBADF);
    ck_assert_int_eq(children_count(children), 1);
    ck_assert_int_eq(ask(client, 'r'), '1');
    ck_assert_int_eq(ended, 0);
    say(client, 'q');
    expect_end(client);
    reap_to(0);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(crashes, 0);
    ck_assert_int_eq(open_fds(0), before);
    children_reap(children); /* there is none: harmless */
    ck_assert_int_eq(ended, 1);
}
END_TEST

START_TEST(record_is_clean_afterwards)
{
    struct board_thread *shown = &segment->thread[1];
    int client = begin();

    ck_assert_uint_eq(board_get(&segment->threads), 2);
    ck_assert_int_eq(ask(client, 's'), 's');
    ck_assert_uint_ne(board_get(&shown->pid), 0);
    ck_assert_uint_eq(board_get(&shown->state), BOARD_BUSY);
    say(client, 'q');
    reap_to(0);
    ck_assert_uint_eq(board_get(&shown->pid), 0);
    ck_assert_uint_eq(board_get(&shown->connections), 0);
    ck_assert_int_eq(board_get(&shown->busy_since), 0);
    ck_assert_uint_eq(board_get(&shown->state), BOARD_UNUSED);
    ck_assert_uint_eq(board_get(&shown->accepted), 1); /* counters go on */
    close(client);
}
END_TEST

static const struct {
    const char *letters, *end;
} crash_rows[] = {
    {"k", "which served one connection (echo), was killed by signal 11 (Segmentation fault)"},
    {"sk", "which served one connection (talk, last GET /x), was killed by signal 11 "
           "(Segmentation fault)"},
    {"e", "which served one connection (echo), exited with status 3"},
    {"se", "which served one connection (talk, last GET /x), exited with status 3"},
    /* it must not come back */
    {"b", "which served one connection (echo), was short of a resource"},
};

START_TEST(crash_is_told)
{
    const char *letters = crash_rows[_i].letters;
    char expected[256];
    siginfo_t info;
    int client = begin();

    for (; letters[1]; letters++)
        ask(client, letters[0]);
    say(client, letters[0]);
    expect_end(client);
    ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    reap_to(0);
    snprintf(expected, sizeof(expected), "process %d, %s", (int)info.si_pid, crash_rows[_i].end);
    char *core = strstr(sentence, ", core dumped"); /* as the machine is set up */
    if (core)
        *core = '\0';
    ck_assert_str_eq(sentence, expected);
    ck_assert_int_eq(crashes, 1);
    ck_assert_int_eq(ended, 1);
    ck_assert_uint_eq(board_get(&segment->thread[1].state), BOARD_UNUSED);
}
END_TEST

/* A child that was taken over writes what it likes. */
START_TEST(what_the_board_says_is_made_safe)
{
    struct board_thread *shown = &segment->thread[1];
    int client = begin();

    ask(client, 'r');
    memset(shown->protocol, 'p', sizeof(shown->protocol)); /* no end */
    memset(shown->label, '\n', sizeof(shown->label));
    say(client, 'e');
    reap_to(0);
    ck_assert_int_eq(crashes, 1);
    ck_assert_ptr_null(strchr(sentence, '\n'));
    ck_assert_ptr_nonnull(strstr(sentence, "(pppppppppppppppp, last "));
    close(client);
}
END_TEST

START_TEST(killed_ones_are_no_crash)
{
    int clients[3];

    for (int i = 0; i < 3; i++) {
        clients[i] = begin();
        ask(clients[i], 'r');
    }
    children_kill(children);
    for (int i = 0; i < 3; i++)
        expect_end(clients[i]);
    reap_to(0);
    ck_assert_int_eq(crashes, 0);
    ck_assert_int_eq(ended, 3);
}
END_TEST

/* ---------------------------------------------------------------- records ---------- */

START_TEST(records_are_used_again)
{
    int clients[MOST], again;

    for (int i = 0; i < 3; i++)
        clients[i] = begin();
    ck_assert_int_eq(ask(clients[1], 's'), 's');
    say(clients[1], 'q');
    reap_to(2);
    again = begin();
    ck_assert_int_eq(ask(again, 'r'), '2');
    ck_assert_str_eq(segment->thread[2].protocol, "echo"); /* of the one before */
    ck_assert_str_eq(segment->thread[2].label, "");
    ck_assert_uint_eq(board_get(&segment->threads), 4);
    for (int i = 3; i < MOST; i++) /* and all can be there at once */
        ck_assert_int_eq(ask(clients[i] = begin(), 'r'), '1' + i);
    ck_assert_uint_eq(board_get(&segment->threads), MOST + 1);
    ck_assert_int_eq(children_count(children), MOST);
}
END_TEST

START_TEST(many_come_and_go)
{
    int before = open_fds(0);

    for (int round = 0; round < 20; round++) {
        int clients[MOST];

        for (int i = 0; i < MOST; i++)
            clients[i] = begin();
        for (int i = 0; i < MOST; i++) {
            say(clients[i], 'q');
            expect_end(clients[i]);
        }
        reap_to(0);
    }
    ck_assert_int_eq(ended, 20 * MOST);
    ck_assert_uint_eq(board_get(&segment->threads), MOST + 1);
    ck_assert_int_eq(open_fds(0), before);
}
END_TEST

/* Nothing is lost by a fork that did not come about. */
static void assert_refused(int expected)
{
    int client, before;
    struct accepted accepted = accept_one(&client);
    struct rlimit limit, low;

    before = open_fds(0);
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = expected == EMFILE ? (rlim_t)accepted.fd + 2 : limit.rlim_cur; /* one more */
    fork_fails = expected == EAGAIN;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    errno = 0;
    ck_assert_int_eq(children_fork(children, front, &accepted), -1);
    ck_assert_int_eq(errno, expected);
    fork_fails = false;
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_int_ge(fcntl(accepted.fd, F_GETFD), 0); /* still the caller's */
    ck_assert_int_eq(open_fds(0), before);
    ck_assert_int_eq(children_count(children), 0);
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(children_fork(children, front, &accepted), 0); /* tried again */
    ck_assert_int_eq(ask(client, 'r'), '1');
    ck_assert_uint_eq(board_get(&segment->threads), 2);
}

START_TEST(no_descriptor_for_a_channel)
{
    assert_refused(EMFILE);
}
END_TEST

START_TEST(no_process)
{
    assert_refused(EAGAIN);
}
END_TEST

/* ---------------------------------------------------------------- words ------------ */

START_TEST(child_holds_no_channel_but_its_own)
{
    int clients[4];

    for (int i = 0; i < 4; i++) {
        clients[i] = begin();
        ck_assert_int_eq(ask(clients[i], 'n'), '1');
    }
    say(clients[0], 'q');
    reap_to(3);
    ck_assert_int_eq(ask(begin(), 'n'), '1');
    ck_assert_int_eq(open_fds(SOCK_SEQPACKET), 4); /* one end of each */
}
END_TEST

/* Numbers that were free among those that every child must keep. */
START_TEST(nor_one_with_a_low_number)
{
    int low[4];

    children_free(&children);
    for (int i = 0; i < 4; i++)
        low[i] = dup(log_fd);
    children = children_new(&settings);
    ck_assert_ptr_nonnull(children);
    for (int i = 0; i < 4; i++)
        close(low[i]);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ask(begin(), 'n'), '1');
}
END_TEST

START_TEST(messages_reach_every_child)
{
    int clients[3], pair[2];
    char bytes[8];

    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    for (int i = 0; i < 3; i++)
        clients[i] = begin();
    tell(MSG_LOG, pair[1]);
    tell(MSG_LEVEL, -1);
    ck_assert_int_ge(fcntl(pair[1], F_GETFD), 0); /* sending keeps it */
    close(pair[1]);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(clients[i], 'm'), 'A' + MSG_LOG);
        ck_assert_int_eq(ask(clients[i], 'm'), 'A' + MSG_LEVEL);
    }
    ck_assert_int_eq(read(pair[0], bytes, sizeof(bytes)), 3);
    ck_assert(!children_owe(children));
}
END_TEST

START_TEST(reopened_is_owed_until_all_have_answered)
{
    int clients[3];

    for (int i = 0; i < 3; i++)
        clients[i] = begin();
    tell(MSG_REOPENED, -1);
    ck_assert(children_owe(children));
    for (int i = 0; i < 3; i++) {
        ck_assert(children_owe(children));
        ck_assert_int_eq(ask(clients[i], 'a'), 'a');
        hear_one();
    }
    ck_assert(!children_owe(children));
    ask(clients[0], 'a'); /* nobody has asked for that */
    ck_assert(!any_word());
    tell(MSG_REOPENED, -1); /* and the next time it is as before */
    ck_assert(children_owe(children));
}
END_TEST

START_TEST(two_reopens_at_once)
{
    int client = begin();

    tell(MSG_REOPENED, -1);
    tell(MSG_REOPENED, -1);
    ask(client, 'a');
    hear_one();
    ck_assert(children_owe(children));
    ck_assert(!any_word());
    ask(client, 'a');
    hear_one();
    ck_assert(!children_owe(children));
}
END_TEST

START_TEST(the_dead_owe_nothing)
{
    int clients[2];

    for (int i = 0; i < 2; i++)
        clients[i] = begin();
    tell(MSG_REOPENED, -1);
    tell(MSG_REOPENED, -1);
    say(clients[0], 'q');
    reap_to(1);
    ck_assert(children_owe(children));
    say(clients[1], 'e');
    reap_to(0);
    ck_assert(!children_owe(children));
    ck_assert(!any_word());
    ck_assert_int_eq(ask(begin(), 'r'), '2'); /* nor does who has the record next */
    ck_assert(!children_owe(children));
}
END_TEST

/* Its channel is closed before waitpid tells of its end. */
START_TEST(the_deaf_owe_nothing)
{
    int client = begin();

    tell(MSG_REOPENED, -1);
    ck_assert_int_eq(ask(client, 'c'), 'c');
    hear_one();
    ck_assert(!children_owe(children));
    ck_assert(!any_word());
    tell(MSG_REOPENED, -1); /* cannot reach it: nothing to wait for, and no reason to kill it */
    ck_assert(!children_owe(children));
    ck_assert_int_eq(ask(client, 'r'), '1');
}
END_TEST

START_TEST(who_cannot_be_heard_owes_nothing)
{
    int client = begin();

    close(settings.orders_fd); /* epoll_ctl fails */
    tell(MSG_REOPENED, -1);
    ck_assert(logged("cannot listen to process"));
    ck_assert(!children_owe(children));
    ck_assert_int_eq(ask(client, 'm'), 'A' + MSG_REOPENED);
}
END_TEST

START_TEST(who_does_not_read_goes_on)
{
    int client = begin();

    for (int i = 0; i < 100000 && !logged("LEVEL cannot be sent to process"); i++)
        tell(MSG_LEVEL, -1);
    ck_assert(logged("LEVEL cannot be sent to process"));
    ck_assert_int_eq(ask(client, 'm'), 'A' + MSG_LEVEL); /* alive, and reads what it has got */
    ck_assert_int_eq(crashes, 0);
}
END_TEST

START_TEST(crew_without_children)
{
    children_tell(NULL, &(struct msg){.type = MSG_LEVEL, .fd = -1});
    children_reap(NULL);
    children_kill(NULL);
    ck_assert(!children_owe(NULL));
    ck_assert_int_eq(children_count(NULL), 0);
}
END_TEST

UNIT_MAIN_AROUND("children", setup, teardown, ONCE(child_has_the_connection_and_ends_silently),
                 ONCE(record_is_clean_afterwards), EACH(crash_is_told, crash_rows),
                 ONCE(what_the_board_says_is_made_safe), ONCE(killed_ones_are_no_crash),
                 ONCE(records_are_used_again), ONCE(many_come_and_go),
                 ONCE(no_descriptor_for_a_channel), ONCE(no_process),
                 ONCE(child_holds_no_channel_but_its_own), ONCE(nor_one_with_a_low_number),
                 ONCE(messages_reach_every_child),
                 ONCE(reopened_is_owed_until_all_have_answered), ONCE(two_reopens_at_once),
                 ONCE(the_dead_owe_nothing), ONCE(the_deaf_owe_nothing),
                 ONCE(who_cannot_be_heard_owes_nothing), ONCE(who_does_not_read_goes_on),
                 ONCE(crew_without_children))
