/* The last descriptors of a process are not for new connections, but for what those that are
 * served need: files above all. Whoever was accepted finds one; the others wait in the backlog. It
 * is half of what is free when the process begins to serve, and never more than are plenty.
 *
 * The kernel always gives the lowest number that is free. So a connection whose number is just
 * below the last `kept` shows that no more than these are left; to know that costs one comparison.
 * From then on each connection is preceded by a look, until half of those that were open then have
 * gone: were it until a lower number is free, each time one more would be taken of the last. The
 * limit is read for that and for nothing else: no table has its size.
 *
 * Thread: loops'. Memory: the engine's; atomics, several loops may look at once: each of them may
 * then take one connection of the reserve. What must hold: a process without a connection takes
 * one in any case, for nothing else would ever set a descriptor free. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

#include "base/sys.h"
#include "net/loop-private.h"

#define KEPT_MOST 64

/* What a new descriptor would be; -1 with errno. */
static int lowest_free(int fd)
{
    int number = fcntl(fd, F_DUPFD_CLOEXEC, 0), copy = number;
    sys_close(&copy);
    return number;
}

static int read_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)limit.rlim_cur;
}

void reserve_begin(struct engine *engine)
{
    struct reserve *reserve = &engine->reserve;
    if (atomic_load(&reserve->bound))
        return;
    int lowest = engine->listener_count ? lowest_free(engine->listeners[0].fd) : -1;
    int limit = read_limit(), half = lowest < 0 ? 0 : (limit - lowest + 1) / 2;
    atomic_store(&reserve->kept, half < KEPT_MOST ? half : KEPT_MOST);
    atomic_store(&reserve->bound, limit - atomic_load(&reserve->kept));
}

static uint32_t open_now(const struct loop *loop)
{
    return board_get(&loop->engine->board->own_share->connections);
}

void reserve_sink(struct loop *loop)
{
    struct reserve *reserve = &loop->engine->reserve;
    atomic_store(&reserve->open, open_now(loop));
    atomic_store(&reserve->is_low, true);
}

bool reserve_look(struct loop *loop, int fd)
{
    struct reserve *reserve = &loop->engine->reserve;
    int lowest = lowest_free(fd), bound = read_limit() - atomic_load(&reserve->kept);
    if (lowest < 0)
        return false;
    atomic_store(&reserve->bound, bound); /* it may have been changed from outside */
    if (lowest < bound) {
        if (open_now(loop) <= atomic_load(&reserve->open) / 2)
            atomic_store(&reserve->is_low, false);
        return true;
    }
    errno = EMFILE;
    return open_now(loop) == 0;
}
