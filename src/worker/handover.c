/* Receiving the handover; see handover.h. Worker, main thread, first thing after exec. All it holds
 * lives until the process ends. */
#include "config.h"

#include "worker/handover.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/sys.h"
#include "share/channel.h"
#include "share/snapshot.h"

static bool take_listener(struct handover *handover, struct msg *msg)
{
    struct handed_listener *more = realloc(
        handover->listeners, (handover->listener_count + 1) * sizeof(*handover->listeners));

    if (!more)
        return false;
    handover->listeners = more;
    more[handover->listener_count].fd = msg->fd;
    more[handover->listener_count].passage = (struct passage){-1, -1};
    if (msg->has_more)
        more[handover->listener_count].passage = (struct passage){msg->more[0], msg->more[1]};
    more[handover->listener_count].address = strdup(msg->text);
    return more[handover->listener_count++].address != NULL;
}

static bool take_board(struct handover *handover, struct msg *msg)
{
    return msg->value >= 0 && board_attach(&handover->board, msg->fd, (unsigned)msg->value) == 0;
}

static bool take_snapshot(struct handover *handover, struct msg *msg)
{
    struct buf error = {0};

    handover->snapshot = snapshot_open(msg->fd, &error);
    buf_free(&error);
    return handover->snapshot != NULL;
}

static bool take_log(struct handover *handover, struct msg *msg)
{
    handover->log_fd = msg->fd;
    handover->have_log = true;
    return true;
}

static bool take_level(struct handover *handover, struct msg *msg)
{
    handover->level = msg->value;
    return true;
}

static bool take_start(struct handover *handover, struct msg *msg)
{
    handover->generation = msg->op;
    handover->slot = msg->value;
    return true;
}

/* What a handover is made of. */
static const struct {
    bool (*take)(struct handover *handover, struct msg *msg);
    bool needs_fd;
} parts[MSG_TYPES] = {
    [MSG_BOARD] = {take_board, true},
    [MSG_SNAPSHOT] = {take_snapshot, true},
    [MSG_LOG] = {take_log, false},
    [MSG_LISTENER] = {take_listener, true},
    [MSG_LEVEL] = {take_level, false},
    [MSG_START] = {take_start, false},
};

/* False: this message cannot be part of a handover. */
static bool take(struct handover *handover, struct msg *msg)
{
    if (parts[msg->type].take)
        return (msg->fd >= 0 || !parts[msg->type].needs_fd) &&
               parts[msg->type].take(handover, msg);
    sys_close(&msg->fd);
    return false;
}

bool handover_receive(struct handover *handover, int channel)
{
    char *room = malloc(CHANNEL_TEXT_MAX + 1);
    struct msg msg = {.type = MSG_TYPES};
    bool ok = room != NULL;

    *handover = (struct handover){.channel = channel, .log_fd = -1, .level = -1, .board.fd = -1};
    while (ok && msg.type != MSG_START)
        ok = channel_recv(channel, &msg, room, TO_WORKER) == 1 && take(handover, &msg);
    free(room);
    return ok && handover->board.own && handover->snapshot && handover->have_log;
}

struct handed_listener *handover_listener(struct handover *handover, const char *address)
{
    for (size_t i = 0; i < handover->listener_count; i++)
        if (strcmp(handover->listeners[i].address, address) == 0)
            return &handover->listeners[i];
    return NULL;
}

void handover_free(struct handover *handover)
{
    for (size_t i = 0; i < handover->listener_count; i++)
        free(handover->listeners[i].address);
    free(handover->listeners);
    snapshot_free(&handover->snapshot);
    board_close(&handover->board);
}
