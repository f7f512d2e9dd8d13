/* What crosses a process boundary: channel, board, snapshot, the way a process ends. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "share/board.h"
#include "share/channel.h"
#include "share/ending.h"
#include "share/snapshot.h"
#include "unit.h"

static char room[CHANNEL_TEXT_MAX + 1];

START_TEST(message_with_descriptor)
{
    int ours, theirs, pipe_ends[2];
    struct msg sent = {.type = MSG_LISTENER, .op = 7, .value = -3, .text = "abc", .length = 3}, got;

    ck_assert_int_eq(channel_pair(&ours, &theirs), 0);
    ck_assert_int_eq(pipe(pipe_ends), 0);
    sent.fd = pipe_ends[1];
    ck_assert_int_eq(channel_send(ours, &sent), 0);
    ck_assert_int_eq(channel_recv(theirs, &got, room, TO_WORKER), 1);
    ck_assert_int_eq(got.type, MSG_LISTENER);
    ck_assert_uint_eq(got.op, 7);
    ck_assert_int_eq(got.value, -3);
    ck_assert_str_eq(got.text, "abc");
    ck_assert_int_ge(got.fd, 0);
    ck_assert_int_ne(got.fd, pipe_ends[1]);
    ck_assert_int_eq(fcntl(got.fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(write(got.fd, "x", 1), 1);
    ck_assert_int_eq(read(pipe_ends[0], room, 1), 1);
}
END_TEST

START_TEST(wrong_direction_is_refused)
{
    int ours, theirs;
    struct msg sent = {.type = MSG_DRAIN, .fd = -1}, got;

    ck_assert_int_eq(channel_pair(&ours, &theirs), 0);
    ck_assert_int_eq(channel_send(theirs, &sent), 0);
    ck_assert_int_eq(channel_recv(ours, &got, room, TO_MASTER), -1);
    ck_assert_int_eq(errno, EBADMSG);
}
END_TEST

START_TEST(malformed_packets_are_refused)
{
    static const char junk[][20] = {"", "short", "nineteen bytes of it"};
    int ours, theirs;
    struct msg got;

    ck_assert_int_eq(channel_pair(&ours, &theirs), 0);
    for (size_t i = 1; i < 3; i++) {
        ck_assert_int_ge(send(theirs, junk[i], sizeof(junk[i]) - (i == 1 ? 15 : 0), 0), 0);
        ck_assert_int_eq(channel_recv(ours, &got, room, TO_MASTER), -1);
        ck_assert_int_eq(errno, EBADMSG);
    }
    errno = 0;
    ck_assert_int_eq(channel_recv(ours, &got, room, TO_MASTER), -1);
    ck_assert_int_eq(errno, EAGAIN);
    close(theirs);
    ck_assert_int_eq(channel_recv(ours, &got, room, TO_MASTER), 0);
}
END_TEST

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Sends a well-formed ACK with a descriptor behind it, `count` times. */
static ssize_t smuggle(int fd, int carried, int count)
{
    struct msg ack = {.type = MSG_ACK, .fd = -1};
    char bytes[64], room_for[CMSG_SPACE(4 * sizeof(int))] = {0};
    int pair[2];
    struct iovec part = {bytes, 0};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room_for,
                            .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&packet);

    /* the bytes of a good message, as channel_send() makes them */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    ck_assert_int_eq(channel_send(pair[0], &ack), 0);
    part.iov_len = (size_t)recv(pair[1], bytes, sizeof(bytes), 0);
    close(pair[0]);
    close(pair[1]);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    for (size_t i = 0; i < (size_t)count; i++)
        memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &carried, sizeof(int));
    return sendmsg(fd, &packet, MSG_NOSIGNAL);
}

START_TEST(smuggled_descriptors_are_closed)
{
    int pair[2], before;
    struct msg got;

    /* not channel_pair(): a new kernel would refuse the sender there */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    before = open_descriptors();
    for (int count = 1; count <= 4; count++) {
        ck_assert_int_ge(smuggle(pair[1], STDIN_FILENO, count), 0);
        ck_assert_int_eq(channel_recv(pair[0], &got, room, TO_MASTER), -1);
        ck_assert_int_eq(errno, EBADMSG);
    }
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* A TCP connection with as much unsent as it takes, which waits for a minute when it is closed. */
static int lingering_socket(int *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    struct linger minute = {1, 60};
    int door = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(listen(door, 1), 0);
    ck_assert_int_eq(getsockname(door, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, length), 0);
    *peer = accept(door, NULL, NULL);
    ck_assert_int_ge(*peer, 0);
    close(door);
    while (send(fd, room, sizeof(room), MSG_DONTWAIT) > 0)
        ;
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &minute, sizeof(minute)), 0);
    return fd;
}

START_TEST(smuggled_socket_does_not_linger)
{
    int pair[2], peer, lingering;
    struct msg got;

    for (int count = 1; count <= 2; count++) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
        lingering = lingering_socket(&peer);
        ck_assert_int_ge(smuggle(pair[1], lingering, count), 0);
        close(lingering);
        alarm(5); /* ends the test */
        ck_assert_int_eq(channel_recv(pair[0], &got, room, TO_MASTER), -1);
        alarm(0);
        close(peer);
    }
}
END_TEST

START_TEST(channel_that_nobody_reads_does_not_block)
{
    int ours, theirs, sent = 0;
    struct msg msg = {.type = MSG_SERVE, .fd = -1, .text = room, .length = 4096};

    ck_assert_int_eq(channel_pair(&ours, &theirs), 0);
    while (channel_send(ours, &msg) == 0)
        ck_assert_int_lt(++sent, 100000);
    ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(board_segments_are_apart)
{
    struct board master = {0}, worker = {0};
    const struct board_segment *seen, *other;

    ck_assert_int_eq(board_create(&master), 0);
    ck_assert_int_eq(board_attach(&worker, dup(master.fd), 3), 0);
    board_set(&worker.own->threads, 2);
    board_add(&worker.own->thread[1].requests, 5);
    board_label(&worker.own->thread[1], "GET /", 5);
    seen = board_segment_map(&master, 3);
    other = board_segment_map(&master, 2);
    ck_assert(seen && other);
    ck_assert_uint_eq(board_get(&seen->threads), 2);
    ck_assert_uint_eq(board_get(&seen->thread[1].requests), 5);
    ck_assert_str_eq(seen->thread[1].label, "GET /");
    ck_assert_uint_eq(board_get(&other->threads), 0);
    board_set(&worker.own_share->connections, 4);
    ck_assert_uint_eq(board_get(&master.shares[3].connections), 4);
    ck_assert_int_eq(board_segment_clear(&master, 3), 0);
    ck_assert_uint_eq(board_get(&seen->threads), 0);
    ck_assert_uint_eq(board_get(&master.shares[3].connections), 0);
    board_detach(&worker); /* its worker is gone: another may have the segment */
    board_set(&worker.own->threads, 7);
    board_set(&worker.own_share->connections, 7);
    ck_assert_uint_eq(board_get(&seen->threads), 0);
    ck_assert_uint_eq(board_get(&master.shares[3].connections), 0);
    board_segment_unmap(seen);
    board_segment_unmap(other);
    ck_assert_int_lt(ftruncate(master.fd, 0), 0); /* sealed */
    ck_assert_int_lt(board_attach(&worker, dup(master.fd), BOARD_SEGMENTS), 0);
}
END_TEST

START_TEST(foreign_segments_cannot_be_made_writable)
{
    struct board master = {0}, worker = {0};
    const struct board_segment *segment;

    ck_assert_int_eq(board_create(&master), 0);
    ck_assert_int_eq(board_attach(&worker, dup(master.fd), 0), 0);
    ck_assert_int_lt(mprotect((void *)(uintptr_t)worker.shares, 4096, PROT_READ | PROT_WRITE), 0);
    segment = board_segment_map(&master, 0);
    ck_assert_int_lt(mprotect((void *)(uintptr_t)segment, 4096, PROT_READ | PROT_WRITE), 0);
}
END_TEST

/* Who serves is written from what the master knows, not from what a worker may have written
 * there. */
START_TEST(serving_workers_are_restored)
{
    struct board master = {0};
    struct board_head *forged;

    ck_assert_int_eq(board_create(&master), 0);
    board_set_serving(&master, 1, true);
    forged = mmap(NULL, sizeof(*forged), PROT_READ | PROT_WRITE, MAP_SHARED, master.fd, 0);
    ck_assert_ptr_ne(forged, MAP_FAILED);
    atomic_store(&forged->serving[0], UINT32_MAX);
    board_set_serving(&master, 2, true);
    ck_assert_uint_eq(board_get(&master.head->serving[0]), 6);
    atomic_store(&forged->serving[0], UINT32_MAX);
    board_set_serving(&master, 1, false);
    ck_assert_uint_eq(board_get(&master.head->serving[0]), 4);
}
END_TEST

START_TEST(label_is_cut)
{
    struct board_thread *thread = aligned_alloc(64, sizeof(*thread));
    char text[300];

    memset(text, 'x', sizeof(text));
    board_label(thread, text, sizeof(text));
    ck_assert_uint_eq(strlen(thread->label), BOARD_LABEL - 1);
    free(thread);
}
END_TEST

/* Connections of the worker in segment 0, of the others, and whether it may take one more. */
START_TEST(share_of_connections)
{
    static const struct {
        unsigned own, others[3];
        bool may;
    } cases[] = {
        {0, {0, 0, 0}, true},      {1, {0, 0, 0}, true},      {2, {0, 0, 0}, false},
        {50, {50, 50, 50}, true},  {60, {50, 50, 50}, false}, {100, {100, 100, 0}, false},
        {53, {50, 50, 50}, true},  {0, {100, 100, 100}, true},
    };
    struct board master = {0}, worker[4];

    ck_assert_int_eq(board_create(&master), 0);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(board_attach(&worker[i], dup(master.fd), i * 40), 0);
    atomic_store(&worker[0].own_share->connections, 1000);
    ck_assert(board_has_share(&worker[0])); /* nobody serves yet */
    for (unsigned i = 0; i < 4; i++)
        board_set_serving(&master, i * 40, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        atomic_store(&worker[0].own_share->connections, cases[i].own);
        for (int j = 0; j < 3; j++)
            atomic_store(&worker[j + 1].own_share->connections, cases[i].others[j]);
        ck_assert_msg(board_has_share(&worker[0]) == cases[i].may, "case %zu", i);
    }
    for (unsigned i = 1; i < 4; i++)
        board_set_serving(&master, i * 40, false);
    ck_assert(board_has_share(&worker[0])); /* alone again */
}
END_TEST

static void write_file(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
    close(fd);
}

START_TEST(snapshot_keeps_what_it_read)
{
    char folder[] = "/tmp/reeve-unit-XXXXXX", path[64];
    char *overrides[] = {(char[]){"a=1"}, (char[]){"b=two words"}};
    struct buf error = {0};
    struct snapshot *taken, *again, *other;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/x.conf", folder);
    write_file(path, "text\n", 5);
    taken = snapshot_take(path, NULL, overrides, 2, &error);
    ck_assert_ptr_nonnull(taken);
    write_file(path, "other\n", 6);
    again = snapshot_open(dup(taken->fd), &error);
    other = snapshot_take(path, NULL, overrides, 2, &error);
    ck_assert_str_eq(again->text, "text\n");
    ck_assert_uint_eq(again->text_length, 5);
    ck_assert_str_eq(again->path, path);
    ck_assert_str_eq(again->folder, folder);
    ck_assert_uint_eq(again->override_count, 2);
    ck_assert_str_eq(again->overrides[1], "b=two words");
    ck_assert(snapshot_same(taken, again));
    ck_assert(!snapshot_same(taken, other));
    ck_assert_int_lt(write(taken->fd, "x", 1), 0); /* sealed */
    snapshot_free(&taken);
    snapshot_free(&again);
    snapshot_free(&other);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(snapshot_refuses)
{
    struct buf error = {0};
    int fd = memfd_create("x", 0);

    ck_assert_ptr_null(snapshot_take("/nonexistent/x.conf", NULL, NULL, 0, &error));
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "/nonexistent/x.conf: cannot be read: No such"));
    buf_clear(&error);
    ck_assert_ptr_null(snapshot_take("/tmp", NULL, NULL, 0, &error));
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "Is a directory"));
    ck_assert_int_eq(write(fd, "reeve snapshot 1\0p\0f\0009\0", 23), 23);
    ck_assert_ptr_null(snapshot_open(fd, &error));
    buf_free(&error);
}
END_TEST

START_TEST(snapshot_of_the_builtin)
{
    struct buf error = {0};
    struct snapshot *taken = snapshot_take(NULL, "builtin", NULL, 0, &error);

    ck_assert_str_eq(taken->path, "(built-in)");
    ck_assert_str_eq(taken->text, "builtin");
    snapshot_free(&taken);
}
END_TEST

static const struct {
    int status;
    const char *words;
} endings[] = {
    {W_EXITCODE(0, SIGKILL), "was killed by signal 9 (Killed)"},
    {W_EXITCODE(0, SIGSEGV) | WCOREFLAG,
     "was killed by signal 11 (Segmentation fault), core dumped"},
    {W_EXITCODE(WORKER_BAD_CONF, 0), "refused its configuration or a module"},
    {W_EXITCODE(WORKER_SICK, 0), "was short of a resource"},
    {W_EXITCODE(3, 0), "exited with status 3"},
};

START_TEST(ending_in_words)
{
    struct buf text = {0};

    ending_put(&text, endings[_i].status);
    ck_assert_str_eq(buf_text(&text), endings[_i].words);
    buf_free(&text);
}
END_TEST

UNIT_MAIN("share", ONCE(message_with_descriptor), ONCE(wrong_direction_is_refused),
          ONCE(malformed_packets_are_refused), ONCE(smuggled_descriptors_are_closed),
          ONCE(smuggled_socket_does_not_linger), ONCE(channel_that_nobody_reads_does_not_block),
          ONCE(board_segments_are_apart), ONCE(foreign_segments_cannot_be_made_writable),
          ONCE(serving_workers_are_restored), ONCE(label_is_cut), ONCE(share_of_connections),
          ONCE(snapshot_keeps_what_it_read), ONCE(snapshot_refuses), ONCE(snapshot_of_the_builtin),
          EACH(ending_in_words, endings))
