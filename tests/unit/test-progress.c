/* Progress of workers: which turns of which loops count, and what is more than half. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "master/progress.h"
#include "share/board.h"
#include "unit.h"

START_TEST(turns)
{
    struct board_segment *board = aligned_alloc(_Alignof(struct board_segment), sizeof(*board));
    struct progress last = {0};

    memset(board, 0, sizeof(*board));
    board_set(&board->thread[0].turns, 2);
    board_set(&board->thread[1].turns, 4);
    ck_assert(progress_seen(&last, board, 2)); /* seen for the first time */
    ck_assert(!progress_seen(&last, board, 2));
    ck_assert(!progress_seen(&last, board, 2));
    board_set(&board->thread[1].turns, 6); /* the next turn */
    ck_assert(progress_seen(&last, board, 2));
    ck_assert(!progress_seen(&last, board, 2));
    board_set(&board->thread[0].turns, 3); /* one of them waits */
    ck_assert(progress_seen(&last, board, 2));
    ck_assert(progress_seen(&last, board, 2));
    board_set(&board->thread[2].turns, 1); /* none of its loops */
    board_set(&board->thread[0].turns, 4);
    ck_assert(progress_seen(&last, board, 2));
    ck_assert(!progress_seen(&last, board, 2));
    free(board);
}
END_TEST

static const struct {
    int count, moving;
    bool well;
} quorums[] = {{1, 1, true},  {1, 0, false}, {2, 2, true}, {2, 1, false},
               {3, 2, true},  {3, 1, false}, {4, 3, true}, {4, 2, false}};

START_TEST(quorum)
{
    ck_assert_int_eq(progress_quorum(quorums[_i].count, quorums[_i].moving), quorums[_i].well);
}
END_TEST

START_TEST(stopped)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    ck_assert(!sys_is_stopped(pid));
    kill(pid, SIGSTOP);
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
    ck_assert(sys_is_stopped(pid));
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(!sys_is_stopped(pid)); /* gone */
}
END_TEST

UNIT_MAIN("progress", ONCE(turns), EACH(quorum, quorums), ONCE(stopped))
