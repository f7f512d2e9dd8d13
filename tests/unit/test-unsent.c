/* The kernel keeps little of an answer for a client that does not read, and as much as it likes for
 * one that has read quickly. */
#include "config.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "talk.h"
#include "unit.h"

#define SIZE (16 << 20)
#define LITTLE (320 * 1024) /* the bound, what one call may go beyond it, a window */

static struct rig rig;

static uint64_t given(void)
{
    return board_get(&rig.board.own->thread[0].bytes_out);
}

static void start(void)
{
    rig.protocol = &talk;
    talk_file = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(talk_file, SIZE), 0);
    rig_start(&rig);
    rig_command(&rig, LOOP_SERVE);
}

/* The loop has been through a turn and more. */
static void turn(void)
{
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "echo x\n");
    rig_expect(fd, "x\n");
    rig_put(fd, "echo y\n");
    rig_expect(fd, "y\n");
    close(fd);
}

static void take_all(int fd)
{
    static char chunk[65536];
    for (size_t got = 0; got < SIZE;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        ck_assert_int_gt(n, 0);
        got += (size_t)n;
    }
}

START_TEST(little_for_who_does_not_read)
{
    int small = 4096;
    start();
    int fd = rig_connect(&rig, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    rig_put(fd, "file 16777216\n");
    rig_until(given() > 0);
    turn();
    ck_assert_uint_le(given(), LITTLE);
    close(fd);
    rig_stop(&rig);
}
END_TEST

START_TEST(more_for_who_has_read)
{
    start();
    int fd = rig_connect(&rig, 0);
    rig_put(fd, "file 16777216\n");
    take_all(fd);
    uint64_t before = given();
    rig_put(fd, "file 16777216\n");
    rig_until(given() - before > 2 * LITTLE);
    close(fd);
    rig_stop(&rig);
}
END_TEST

UNIT_MAIN("unsent", ONCE(little_for_who_does_not_read), ONCE(more_for_who_has_read))
