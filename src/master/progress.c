/* Do workers make progress; see progress.h. Master. What stands on the board is compared, and
 * nothing is believed beyond that: a worker that lies about itself lies for itself alone. */
#include "config.h"

#include "master/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "share/board.h"

bool progress_seen(struct progress *last, const struct board_segment *board, int loops)
{
    uint64_t turns = 0;
    bool waits = !board /* it cannot be seen: no reason to complain */, same;

    for (int i = 0; board && i < loops && i < BOARD_THREADS; i++) {
        uint32_t turn = board_get(&board->thread[i].turns);

        waits = waits || BOARD_TURN_WAITS(turn);
        turns += turn;
    }
    same = last->known && last->turns == turns;
    *last = (struct progress){.turns = turns, .known = true};
    return waits || !same;
}

bool progress_quorum(int count, int moving)
{
    return moving * 2 > count;
}

bool progress_is_stopped(pid_t pid)
{
    char path[64], text[256];
    const char *after;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    sys_close(&fd);
    text[n < 0 ? 0 : n] = '\0';
    after = strrchr(text, ')'); /* "PID (NAME) STATE ..." */
    return after && after[1] == ' ' && (after[2] == 'T' || after[2] == 't');
}
