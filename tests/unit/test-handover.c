/* What a worker takes from its master before START, and what it does not take. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/sys.h"
#include "share/channel.h"
#include "share/snapshot.h"
#include "unit.h"
#include "worker/handover.h"

static int master_end, worker_end;
static struct board board;
static struct snapshot *snapshot;
static struct handover handover;

static void setup(void)
{
    struct buf error = {0};

    ck_assert_int_eq(channel_pair(&master_end, &worker_end), 0);
    ck_assert_int_eq(board_create(&board), 0);
    snapshot = snapshot_take(NULL, "workers = 2\n", NULL, 0, &error);
    ck_assert_ptr_nonnull(snapshot);
}

static void teardown(void)
{
    sys_close(&master_end);
    sys_close(&worker_end);
    board_close(&board);
    snapshot_free(&snapshot);
}

static void tell_all(enum msg_type type, uint32_t op, int value, int fd, const char *text)
{
    struct msg msg = {.type = type, .op = op, .value = value, .fd = fd, .text = text,
                      .length = text ? strlen(text) : 0};

    ck_assert_int_eq(channel_send(master_end, &msg), 0);
}

static void tell(enum msg_type type, int value, int fd)
{
    tell_all(type, 0, value, fd, NULL);
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

START_TEST(good_one)
{
    const struct handed_listener *second;

    tell(MSG_BOARD, 3, board.fd);
    tell(MSG_SNAPSHOT, 0, snapshot->fd);
    tell(MSG_LOG, 0, STDERR_FILENO);
    tell(MSG_LEVEL, REEVE_LOG_DEBUG, -1);
    tell_all(MSG_LISTENER, 0, 0, STDIN_FILENO, "127.0.0.1:80");
    tell_all(MSG_LISTENER, 0, 0, STDIN_FILENO, "unix:/x");
    tell_all(MSG_START, 7, 2, -1, NULL);
    tell(MSG_SERVE, 0, -1); /* stays in the channel */
    ck_assert(handover_receive(&handover, worker_end));
    ck_assert_int_eq(handover.channel, worker_end);
    ck_assert_uint_eq(handover.board.index, 3);
    board_set(&handover.board.own_share->connections, 9);
    ck_assert_uint_eq(board_get(&board.shares[3].connections), 9);
    ck_assert_str_eq(handover.snapshot->text, "workers = 2\n");
    ck_assert_int_gt(handover.log_fd, STDERR_FILENO);
    ck_assert_int_eq(handover.level, REEVE_LOG_DEBUG);
    ck_assert_uint_eq(handover.generation, 7);
    ck_assert_int_eq(handover.slot, 2);
    ck_assert_uint_eq(handover.listener_count, 2);
    second = handover_listener(&handover, "unix:/x");
    ck_assert_ptr_eq(second, &handover.listeners[1]);
    ck_assert_int_ge(fcntl(second->fd, F_GETFD), 0);
    ck_assert_int_ne(second->fd, handover.listeners[0].fd);
    ck_assert_ptr_null(handover_listener(&handover, "unix:/y"));
    handover_free(&handover);
}
END_TEST

START_TEST(least_one)
{
    tell(MSG_BOARD, BOARD_SEGMENTS - 1, board.fd);
    tell(MSG_SNAPSHOT, 0, snapshot->fd);
    tell(MSG_LOG, 0, -1);
    tell(MSG_START, CHANNEL_CHECK_SLOT, -1);
    ck_assert(handover_receive(&handover, worker_end));
    ck_assert_int_eq(handover.log_fd, -1); /* syslog */
    ck_assert_int_eq(handover.level, -1);
    ck_assert_int_eq(handover.slot, CHANNEL_CHECK_SLOT);
    ck_assert_uint_eq(handover.listener_count, 0);
    ck_assert_ptr_null(handover_listener(&handover, ""));
    handover_free(&handover);
}
END_TEST

/* Board, snapshot and log: none may be missing. */
START_TEST(incomplete_ones)
{
    if (_i != 0)
        tell(MSG_BOARD, 0, board.fd);
    if (_i != 1)
        tell(MSG_SNAPSHOT, 0, snapshot->fd);
    if (_i != 2)
        tell(MSG_LOG, 0, STDERR_FILENO);
    tell(MSG_START, 0, -1);
    ck_assert_msg(handover_receive(&handover, worker_end) == (_i == 3), "%d", _i);
    handover_free(&handover);
}
END_TEST

START_TEST(unexpected_ones)
{
    static const struct {
        enum msg_type type;
        bool with_fd;
    } rows[] = {
        {MSG_LOGFILE, true},   {MSG_READY, false}, {MSG_FAILED, false}, {MSG_SERVE, false},
        {MSG_SERVE, true},     {MSG_REMOVED, true}, {MSG_DRAIN, true},  {MSG_LEAVING, false},
        {MSG_REOPENED, false}, {MSG_LOOK, false},  {MSG_ACK, false},    {MSG_TYPES, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int before = open_descriptors();

        tell(rows[i].type, 0, rows[i].with_fd ? STDIN_FILENO : -1);
        ck_assert_msg(!handover_receive(&handover, worker_end), "%s", msg_name(rows[i].type));
        ck_assert_msg(open_descriptors() == before, "%s left open", msg_name(rows[i].type));
        handover_free(&handover);
    }
}
END_TEST

START_TEST(malformed_ones)
{
    static const struct {
        enum msg_type type;
        int value;
        enum { NONE, THE_BOARD, JUNK } fd;
    } rows[] = {
        {MSG_BOARD, 0, NONE},    {MSG_BOARD, -1, THE_BOARD}, {MSG_BOARD, BOARD_SEGMENTS, THE_BOARD},
        {MSG_SNAPSHOT, 0, NONE}, {MSG_SNAPSHOT, 0, JUNK},    {MSG_LISTENER, 0, NONE},
    };
    int junk = memfd_create("junk", MFD_CLOEXEC);

    ck_assert_int_eq(write(junk, "junk", 4), 4);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tell(rows[i].type, rows[i].value,
             rows[i].fd == NONE ? -1 : rows[i].fd == JUNK ? junk : board.fd);
        ck_assert_msg(!handover_receive(&handover, worker_end), "row %zu", i);
        handover_free(&handover);
    }
    close(junk);
}
END_TEST

START_TEST(packet_that_is_no_message)
{
    tell(MSG_LOG, 0, -1);
    ck_assert_int_eq(send(master_end, "junk", 4, 0), 4);
    ck_assert(!handover_receive(&handover, worker_end));
    ck_assert(handover.have_log);
    handover_free(&handover);
}
END_TEST

START_TEST(master_that_is_gone)
{
    tell(MSG_BOARD, 0, board.fd);
    tell(MSG_SNAPSHOT, 0, snapshot->fd);
    tell(MSG_LOG, 0, -1);
    sys_close(&master_end);
    ck_assert(!handover_receive(&handover, worker_end));
    handover_free(&handover);
}
END_TEST

UNIT_MAIN_AROUND("handover", setup, teardown, ONCE(good_one), ONCE(least_one),
                 TIMES(incomplete_ones, 4), ONCE(unexpected_ones), ONCE(malformed_ones),
                 ONCE(packet_that_is_no_message), ONCE(master_that_is_gone))
