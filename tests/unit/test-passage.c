/* Passages: what is given comes out once and whole, nothing that is no connection does, and no
 * descriptor is lost or kept. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"
#include "share/passage.h"
#include "unit.h"

static struct passage passage;
static int pair[2];

static void setup(void)
{
    ck_assert_int_eq(passage_open(&passage), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void teardown(void)
{
    passage_close(&passage);
    close(pair[0]);
    close(pair[1]);
}

static enum passage_result take(int *fd, struct parcel *parcel)
{
    *fd = -1;
    *parcel = (struct parcel){0};
    return passage_take(&passage, fd, parcel);
}

START_TEST(a_connection_comes_out_with_its_parcel_and_its_bytes)
{
    struct parcel given = {.length = 3, .bytes = "abc"}, taken;
    char room[8];
    int fd;

    ck_assert(!passage_is_busy(&passage));
    ck_assert_int_eq(write(pair[1], "early", 5), 5);
    ck_assert_int_eq(passage_give(&passage, pair[0], &given), 0);
    ck_assert(passage_is_busy(&passage));
    ck_assert_int_eq(take(&fd, &taken), PASSAGE_TAKEN);
    ck_assert_uint_eq(taken.length, 3);
    ck_assert_mem_eq(taken.bytes, "abc", 3);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(read(fd, room, sizeof room), 5);
    close(fd);
    ck_assert(!passage_is_busy(&passage));
    ck_assert_int_eq(take(&fd, &taken), PASSAGE_EMPTY);
}
END_TEST

START_TEST(a_full_one_says_so_and_keeps_what_it_has)
{
    struct parcel none = {0};
    int count = 0, fd;

    while (passage_give(&passage, pair[0], &none) == 0)
        ck_assert_int_lt(++count, 100000);
    ck_assert_int_eq(errno, EAGAIN);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(take(&fd, &none), PASSAGE_TAKEN);
        close(fd);
    }
    ck_assert_int_eq(take(&fd, &none), PASSAGE_EMPTY);
}
END_TEST

START_TEST(a_shut_one_takes_nothing_more_and_gives_what_it_has)
{
    struct parcel none = {0};
    int fd;

    ck_assert_int_eq(passage_give(&passage, pair[0], &none), 0);
    ck_assert(!passage_is_shut(&passage));
    passage_shut(&passage);
    ck_assert(passage_is_shut(&passage));
    ck_assert_int_eq(passage_give(&passage, pair[0], &none), -1);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_TAKEN);
    close(fd);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_EMPTY);
}
END_TEST

START_TEST(without_a_free_number_nothing_is_taken)
{
    struct rlimit before, tight;
    struct parcel none = {0};
    int fd, next = dup(pair[0]);

    ck_assert_int_eq(passage_give(&passage, pair[0], &none), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)next + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_STARVED);
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_TAKEN);
    close(fd);
    close(next);
}
END_TEST

/* ---------------------------------------------------------------- junk ------------- */

static void put(const void *data, size_t length, const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)data, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count > 0) {
        struct cmsghdr *cmsg;

        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&message);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    }
    ck_assert_int_eq(sendmsg(passage.give, &message, 0), (ssize_t)length);
}

START_TEST(junk_is_dropped)
{
    static const char good[] = "1PVR", long_one[200] = "1PVR"; /* PASSAGE_MAGIC */
    struct parcel none;
    int pipes[2], both[2] = {pair[0], pair[0]}, listening = socket(AF_INET, SOCK_STREAM, 0), fd;
    int before;

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    before = sys_highest_fd();
    put("what", 4, NULL, 0);
    put("what", 4, both, 1);
    put(good, 4, NULL, 0);
    put(good, 4, pipes, 1);
    put(good, 4, &listening, 1);
    put(good, 4, both, 2);
    put(good, 2, both, 1);
    put(long_one, sizeof long_one, both, 1);
    put("", 0, both, 1);
    for (int i = 0; i < 9; i++)
        ck_assert_msg(take(&fd, &none) == PASSAGE_JUNK, "packet %d", i);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_EMPTY);
    ck_assert_int_eq(sys_highest_fd(), before);
    put(good, 4, both, 1);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_TAKEN);
    close(fd);
    close(pipes[0]);
    close(pipes[1]);
    close(listening);
}
END_TEST

START_TEST(one_that_has_no_peer_any_more_is_dropped)
{
    struct parcel none = {0};
    int alone = socket(AF_INET, SOCK_STREAM, 0), fd;

    ck_assert_int_eq(passage_give(&passage, alone, &none), 0);
    ck_assert_int_eq(take(&fd, &none), PASSAGE_JUNK);
    close(alone);
}
END_TEST

UNIT_MAIN_AROUND("passage", setup, teardown,
                 ONCE(a_connection_comes_out_with_its_parcel_and_its_bytes),
                 ONCE(a_full_one_says_so_and_keeps_what_it_has),
                 ONCE(a_shut_one_takes_nothing_more_and_gives_what_it_has),
                 ONCE(without_a_free_number_nothing_is_taken), ONCE(junk_is_dropped),
                 ONCE(one_that_has_no_peer_any_more_is_dropped))
