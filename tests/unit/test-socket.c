/* Listening sockets: what stands at a path, who may use it, shutting, and those that were
 * inherited. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/socket.h"
#include "temp.h"
#include "unit.h"

/* ---------------------------------------------------------------- helpers ---------- */

static struct buf why;

static struct core_listen at(const char *text)
{
    struct core_listen listen_on = {.title = text, .backlog = 16, .mode = 0660, .owner = ""};

    buf_clear(&why);
    ck_assert_msg(address_parse(text, &listen_on.address, &why), "%s", buf_text(&why));
    return listen_on;
}

static struct core_listen at_unix(const char *path)
{
    char text[160];

    snprintf(text, sizeof(text), "unix:%s", path);
    return at(text);
}

static int open_good(const struct core_listen *listen_on)
{
    int fd = socket_open(listen_on, false, &why);

    ck_assert_msg(fd >= 0, "%s", buf_text(&why));
    return fd;
}

static void assert_refused(const struct core_listen *listen_on, int error, const char *text)
{
    buf_clear(&why);
    ck_assert_int_eq(socket_open(listen_on, false, &why), -1);
    ck_assert_int_eq(errno, error);
    ck_assert_msg(strstr(buf_text(&why), text), "%s", buf_text(&why));
}

/* Begins to connect to where `door` is bound; the result is there at once on this machine. */
static int caller(int door)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    int fd;

    ck_assert_int_eq(getsockname(door, (struct sockaddr *)&bound, &length), 0);
    fd = socket(bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    if (connect(fd, (struct sockaddr *)&bound, length) < 0 && errno != EINPROGRESS)
        sys_close(&fd);
    return fd;
}

static bool connected(int fd)
{
    struct pollfd state = {.fd = fd, .events = POLLOUT};

    return fd >= 0 && poll(&state, 1, 0) == 1 && state.revents == POLLOUT;
}

static void teardown(void)
{
    buf_free(&why);
    temp_remove();
}

/* ---------------------------------------------------------------- addresses -------- */

START_TEST(describes_what_it_is_bound_to)
{
    struct core_listen listen_on = at("127.0.0.1:0");
    struct sockaddr_in bound;
    socklen_t length = sizeof(bound);
    int fd = open_good(&listen_on);
    char *text = socket_describe(fd), expected[160];

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&bound, &length), 0);
    ck_assert_uint_ne(bound.sin_port, 0);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", ntohs(bound.sin_port));
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    free(text);
    socket_close(&fd, &listen_on.address);
    ck_assert_int_eq(fd, -1);

    listen_on = at_unix(temp_path("s"));
    fd = open_good(&listen_on);
    text = socket_describe(fd);
    snprintf(expected, sizeof(expected), "unix:%s", temp_path("s"));
    ck_assert_str_eq(text, expected);
    free(text);
    socket_close(&fd, &listen_on.address);
}
END_TEST

START_TEST(star_takes_both_families_and_others_one)
{
    static const struct {
        const char *text, *start;
        int only;
    } rows[] = {{"*:0", "[::]:", 0}, {"[::]:0", "[::]:", 0}, {"[::1]:0", "[::1]:", 1}};

    for (size_t i = 0; i < 3; i++) {
        struct core_listen listen_on = at(rows[i].text);
        int fd = socket_open(&listen_on, false, &why), only = -1;
        socklen_t length = sizeof(only);
        char *text;

        if (fd < 0 || listen_on.address.sockaddr.ss_family != AF_INET6)
            return; /* a machine without IPv6 has nothing to test here */
        text = socket_describe(fd);
        ck_assert_msg(strncmp(text, rows[i].start, strlen(rows[i].start)) == 0, "%s", text);
        ck_assert_int_eq(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length), 0);
        ck_assert_int_eq(only, rows[i].only);
        free(text);
        socket_close(&fd, &listen_on.address);
    }
}
END_TEST

START_TEST(port_in_use)
{
    struct core_listen first = at("127.0.0.1:0"), second;
    int fd = open_good(&first);
    char *text = socket_describe(fd);

    second = at(text);
    assert_refused(&second, EADDRINUSE, "another program listens there");
    free(text);
    socket_close(&fd, &first.address);
    fd = open_good(&second); /* at once: no waiting for old connections */
    socket_close(&fd, &second.address);
}
END_TEST

/* ---------------------------------------------------------------- unix sockets ----- */

static mode_t mode_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(lstat(path, &st), 0);
    return st.st_mode;
}

START_TEST(mode_is_applied)
{
    const char *path = temp_path("s");
    struct core_listen listen_on = at_unix(path);
    int fd;

    umask(0);
    listen_on.mode = 0604;
    fd = open_good(&listen_on);
    ck_assert_uint_eq(mode_of(path), S_IFSOCK | 0604);
    ck_assert_uint_eq(umask(0), 0); /* as it was */
    listen_on.mode = 0620;
    ck_assert(socket_apply(fd, &listen_on, &why));
    ck_assert_uint_eq(mode_of(path), S_IFSOCK | 0620);
    socket_close(&fd, &listen_on.address);
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(owner_is_applied)
{
    const struct passwd *self = getpwuid(geteuid());
    const struct group *group = getgrgid(getegid());
    const char *path = temp_path("s");
    struct core_listen listen_on = at_unix(path);
    char owner[128];
    int fd;

    if (self && group) { /* a machine's account may be without name */
        snprintf(owner, sizeof(owner), "%s:%s", self->pw_name, group->gr_name);
        listen_on.owner = owner;
        fd = open_good(&listen_on);
        socket_close(&fd, &listen_on.address);
    }
    listen_on.owner = "no-such-account-here";
    assert_refused(&listen_on, EINVAL, "there is no account 'no-such-account-here'");
    ck_assert_int_lt(access(path, F_OK), 0); /* it is taken away again */
    listen_on.owner = ":no-such-group-here";
    assert_refused(&listen_on, EINVAL, "there is no group 'no-such-group-here'");
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(stale_socket_is_removed)
{
    struct core_listen listen_on = at_unix(temp_path("s"));
    int fd = open_good(&listen_on);

    close(fd); /* its process died: the path stays */
    ck_assert_uint_eq(mode_of(temp_path("s")) & S_IFMT, S_IFSOCK);
    fd = open_good(&listen_on);
    socket_close(&fd, &listen_on.address);
}
END_TEST

START_TEST(live_socket_is_left_alone)
{
    struct core_listen listen_on = at_unix(temp_path("s"));
    int fd = open_good(&listen_on), peer;

    assert_refused(&listen_on, EADDRINUSE, "another program listens there");
    peer = caller(fd);
    ck_assert(connected(peer));
    close(peer);
    socket_close(&fd, &listen_on.address);
}
END_TEST

/* One that has no room for a connection is not dead. */
START_TEST(busy_socket_is_left_alone)
{
    struct core_listen listen_on = at_unix(temp_path("s"));
    int fd, peers[8], count = 0;

    listen_on.backlog = 1;
    fd = open_good(&listen_on);
    while (count < 8 && (peers[count] = caller(fd)) >= 0)
        count++;
    ck_assert_int_lt(count, 8);
    assert_refused(&listen_on, EADDRINUSE, "another program listens there");
    ck_assert_uint_eq(mode_of(temp_path("s")) & S_IFMT, S_IFSOCK);
    while (count > 0)
        close(peers[--count]);
    socket_close(&fd, &listen_on.address);
}
END_TEST

/* To connect to a file that is no socket is refused just like to one that nobody listens on. */
START_TEST(what_is_no_socket_is_left_alone)
{
    struct core_listen listen_on = at_unix(temp_path("s"));

    temp_write(temp_path("s"), "dear to somebody");
    assert_refused(&listen_on, EADDRINUSE, "Address already in use");
    ck_assert_str_eq(temp_read(temp_path("s")), "dear to somebody");
    ck_assert_int_eq(unlink(temp_path("s")), 0);
    ck_assert_int_eq(symlink("file", temp_path("s")), 0);
    temp_write(temp_path("file"), "dear to somebody");
    assert_refused(&listen_on, EADDRINUSE, "Address already in use");
    ck_assert_str_eq(temp_read(temp_path("s")), "dear to somebody");
}
END_TEST

START_TEST(folder_that_is_missing)
{
    struct core_listen listen_on = at_unix(temp_path("none/s"));

    assert_refused(&listen_on, ENOENT, "the folder does not exist; create it");
}
END_TEST

START_TEST(only_a_socket_is_owned)
{
    struct core_listen listen_on = at_unix(temp_path("s"));
    int fd = open_good(&listen_on);

    ck_assert_int_eq(symlink("s", temp_path("to-s")), 0); /* to one of somebody else */
    ck_assert(!socket_own(temp_path("to-s"), 0666, (uid_t)-1, (gid_t)-1, &why));
    ck_assert_uint_eq(mode_of(temp_path("s")), S_IFSOCK | 0660);
    socket_close(&fd, &listen_on.address);
    temp_write(temp_path("file"), "");
    ck_assert_int_eq(symlink("file", temp_path("link")), 0);
    ck_assert_int_eq(chmod(temp_path("file"), 0600), 0);
    ck_assert(!socket_own(temp_path("file"), 0666, (uid_t)-1, (gid_t)-1, &why));
    ck_assert(!socket_own(temp_path("link"), 0666, (uid_t)-1, (gid_t)-1, &why));
    ck_assert(!socket_own(temp_path("none"), 0666, (uid_t)-1, (gid_t)-1, &why));
    ck_assert_ptr_nonnull(strstr(buf_text(&why), "is no longer a socket"));
    ck_assert_uint_eq(mode_of(temp_path("file")), S_IFREG | 0600);
}
END_TEST

/* ---------------------------------------------------------------- shutting --------- */

/* Newer kernels give a TCP socket a filter only if the caller has CAP_NET_ADMIN. */
static bool may_filter(void)
{
    struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
    struct sock_fprog program = {.len = 1, .filter = &pass};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool may = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;

    ck_assert(may || errno == EPERM);
    close(fd);
    return may;
}

START_TEST(shut_keeps_the_backlog)
{
    struct core_listen listen_on = at("127.0.0.1:0");
    int fd, before, after, got;

    if (_i == 1)
        listen_on = at_unix(temp_path("s"));
    else if (!may_filter()) {
        dprintf(STDOUT_FILENO, "# not tested: this kernel lets only root filter TCP\n");
        return;
    }
    fd = open_good(&listen_on);
    before = caller(fd);
    ck_assert(connected(before));
    ck_assert_int_eq(write(before, "x", 1), 1);
    socket_shut(fd, &listen_on.address);
    after = caller(fd);
    ck_assert(!connected(after));
    got = accept(fd, NULL, NULL);
    ck_assert_int_ge(got, 0);
    ck_assert_int_eq(write(got, "y", 1), 1); /* what was let in is served as ever */
    ck_assert_int_eq(read(before, &(char){0}, 1), 1);
    ck_assert_int_eq(read(got, &(char){0}, 1), 1);
    ck_assert_int_eq(accept(fd, NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    sys_close(&after);
    after = caller(fd);
    ck_assert(!connected(after)); /* now that there is room in the backlog, too */
    if (_i == 1)
        ck_assert_int_lt(access(temp_path("s"), F_OK), 0);
    sys_close(&after);
    close(before);
    close(got);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- inheriting ------- */

#define STEP(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static int socket_at(const char *text)
{
    struct core_listen listen_on = at(text);

    return socket_open(&listen_on, false, &why);
}

static bool is_same(int fd, const char *described)
{
    char *text = fd >= 0 ? socket_describe(fd) : NULL;
    bool same = text && strcmp(text, described) == 0;

    free(text);
    return same;
}

static void announce(pid_t pid, const char *count, const char *names)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
}

/* Two listening sockets as descriptors 3 and 4, a stray one as 5 and one as 20. */
static bool hand_over(char *described[2])
{
    static const int strays[] = {5, 20};

    for (int i = 0; i < 2; i++) {
        int fd = socket_at("127.0.0.1:0");

        if (fd < 0 || dup2(fd, 30 + i) < 0)
            return false;
        described[i] = socket_describe(30 + i);
    }
    for (int i = 0; i < 2; i++)
        if (dup2(30 + i, 3 + i) < 0 || dup2(30 + i, strays[i]) < 0)
            return false;
    return close_range(30, ~0u, 0) == 0;
}

static int takes_them_by_name(void)
{
    char *described[2];

    STEP(hand_over(described));
    announce(getpid(), "2", "web:api");
    socket_inherit();
    STEP(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
    for (int fd = 3; fd < 10; fd++)
        STEP(fcntl(fd, F_GETFD) < 0);
    STEP(fcntl(20, F_GETFD) == FD_CLOEXEC);
    STEP(is_same(socket_at("fd:web"), described[0]));
    STEP(is_same(socket_at("fd:api"), described[1]));
    STEP(is_same(socket_at("fd:0"), described[0]));
    STEP(is_same(socket_at("fd:1"), described[1]));
    STEP(socket_at("fd:api") == socket_at("fd:api")); /* it stays, for a later reload */
    STEP(fcntl(socket_at("fd:api"), F_GETFD) == FD_CLOEXEC);
    STEP(fcntl(socket_at("fd:api"), F_GETFL) & O_NONBLOCK);
    STEP(socket_at("fd:2") < 0 && errno == ENOENT);
    STEP(strstr(buf_text(&why), "(there are 2)"));
    STEP(socket_at("fd:we") < 0);
    return 0;
}

static int takes_them_without_names(void)
{
    char *described[2];

    STEP(hand_over(described));
    announce(getpid(), "1", NULL);
    socket_inherit();
    STEP(is_same(socket_at("fd:0"), described[0]));
    STEP(socket_at("fd:1") < 0);
    STEP(fcntl(4, F_GETFD) < 0);
    return 0;
}

static int takes_none_of_another_process(void)
{
    char *described[2];

    STEP(hand_over(described));
    announce(getppid(), "2", "web:api");
    socket_inherit();
    STEP(socket_at("fd:web") < 0 && socket_at("fd:0") < 0);
    STEP(strstr(buf_text(&why), "(there are 0)"));
    STEP(!getenv("LISTEN_FDS"));
    STEP(fcntl(3, F_GETFD) < 0);
    return 0;
}

static int takes_none_by_nonsense(void)
{
    char *described[2];

    STEP(hand_over(described));
    announce(getpid(), "2x", NULL);
    socket_inherit();
    STEP(socket_at("fd:0") < 0);
    return 0;
}

static int takes_what_is_there(void)
{
    char *described[2];

    STEP(hand_over(described));
    close(4);
    close(5);
    announce(getpid(), "3", "a:b:c"); /* more than there are */
    socket_inherit();
    STEP(is_same(socket_at("fd:a"), described[0]));
    STEP(socket_at("fd:b") < 0);
    STEP(strstr(buf_text(&why), "(there are 1)"));
    return 0;
}

static int (*const inheritances[])(void) = {takes_them_by_name, takes_them_without_names,
                                            takes_none_of_another_process, takes_none_by_nonsense,
                                            takes_what_is_there};

/* In a child: descriptors are closed there that Check needs. */
START_TEST(inherits)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int line = inheritances[_i]();

        if (line)
            dprintf(STDERR_FILENO, "line %d: %s\n", line, buf_text(&why));
        _exit(line != 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_MAIN_AROUND("socket", temp_make, teardown, ONCE(describes_what_it_is_bound_to),
                 ONCE(star_takes_both_families_and_others_one), ONCE(port_in_use),
                 ONCE(mode_is_applied), ONCE(owner_is_applied), ONCE(stale_socket_is_removed),
                 ONCE(live_socket_is_left_alone), ONCE(busy_socket_is_left_alone),
                 ONCE(what_is_no_socket_is_left_alone), ONCE(folder_that_is_missing),
                 ONCE(only_a_socket_is_owned), TIMES(shut_keeps_the_backlog, 2),
                 EACH(inherits, inheritances))
