/* What the crew does when it is told to; see crew.h.
 *
 * Worker, main thread (the loop's own where it runs there). Memory: the crew's. */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "share/channel.h"
#include "worker/children.h"
#include "worker/crew-private.h"
#include "worker/handover.h"
#include "worker/threads.h"

void crew_command(struct crew *crew, enum loop_command command)
{
    if (command == LOOP_DRAIN)
        atomic_store(&crew->engine.draining, true);
    if (command == LOOP_DRAIN && crew->children) /* they see it before their handlers return */
        board_set(&crew->engine.board->own_share->draining, 1);
    if (command == LOOP_SERVE || command == LOOP_REST)
        atomic_store(&crew->engine.resting, command == LOOP_REST);
    for (int i = 0; i < crew->loop_count; i++)
        loop_command(crew->loops[i].watched.loop, command);
    if (command != LOOP_DRAIN && command != LOOP_STOP)
        return;
    if (crew->threads)
        threads_command(crew->threads, command);
    children_tell(crew->children,
                  &(struct msg){.type = MSG_DRAIN, .fd = -1, .value = command == LOOP_STOP});
}

static bool is_called(const struct listener *listener, const char *address)
{
    return strcmp(address, "*") == 0 || strcmp(address, listener->address) == 0;
}

void crew_listener_removed(struct crew *crew, const char *address)
{
    for (size_t i = 0; i < crew->engine.listener_count; i++)
        if (is_called(&crew->engine.listeners[i], address))
            atomic_store(&crew->engine.listeners[i].removed, true);
}

void crew_listener_stays(struct crew *crew, const char *address, bool on)
{
    for (size_t i = 0; i < crew->engine.listener_count; i++)
        if (is_called(&crew->engine.listeners[i], address))
            atomic_store(&crew->engine.listeners[i].stays, on);
}

void crew_see_off(struct crew *crew, bool on)
{
    board_set(&crew->engine.board->own_share->draining, on);
}

void crew_shut_passages(struct crew *crew)
{
    for (size_t i = 0; i < crew->engine.listener_count; i++)
        if (crew->engine.listeners[i].passage)
            passage_shut(crew->engine.listeners[i].passage);
}

bool crew_has_stopped_accepting(const struct crew *crew)
{
    for (int i = 0; i < crew->loop_count; i++)
        if (!loop_has_stopped_accepting(crew->loops[i].watched.loop) &&
            !watched_is_left(&crew->loops[i].watched)) /* it has its one connection */
            return false;
    return true;
}

void crew_close_listeners(struct crew *crew)
{
    for (int i = 0; i < crew->loop_count; i++)
        if (!loop_has_stopped_accepting(crew->loops[i].watched.loop)) {
            crew_release_listeners(crew); /* one that is lost may come back, and look at them */
            return;
        }
    for (size_t i = 0; i < crew->engine.listener_count; i++)
        sys_close(&crew->engine.listeners[i].fd);
}

void crew_release_listeners(struct crew *crew)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (size_t i = 0; null_fd >= 0 && i < crew->engine.listener_count; i++) {
        atomic_store(&crew->engine.listeners[i].removed, false); /* its backlog is another's now */
        dup3(null_fd, crew->engine.listeners[i].fd, O_CLOEXEC);
    }
    sys_close(&null_fd);
}
