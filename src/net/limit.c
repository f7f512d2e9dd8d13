/* How many connections a client may have; see tally.h for what a client is.
 *
 * Thread: loops', and whoever closes a connection. Memory: nothing of its own; the counters are the
 * board's. What must hold: a place is left once, when the descriptor is about to be closed. Of a
 * connection that has a process of its own that is for the process to do, and if it did not, for
 * the worker that forked it. */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/cidr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "net/loop-private.h"


static void to_cidr(const struct sockaddr_storage *peer, struct cidr *cidr)
{
    const struct sockaddr_in *in = (const void *)peer;
    const struct sockaddr_in6 *in6 = (const void *)peer;
    const unsigned char *bytes = (const void *)&in->sin_addr;
    memset(cidr, 0, sizeof *cidr);
    cidr->kind = CIDR_V4;
    if (peer->ss_family == AF_INET6) {
        bytes = in6->sin6_addr.s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
            bytes += 12;
        else
            cidr->kind = CIDR_V6;
    }
    cidr->length = cidr->kind == CIDR_V4 ? 32 : 128;
    memcpy(cidr->bits, bytes, cidr->length / 8);
}

static bool is_exempt(const struct engine *engine, const struct sockaddr_storage *peer)
{
    struct cidr address;
    if (engine->exempt_count == 0)
        return false;
    to_cidr(peer, &address);
    for (size_t i = 0; i < engine->exempt_count; i++)
        if (cidr_covers(&engine->exempt[i], &address))
            return true;
    return false;
}

/* One line now and then, for all loops of the worker. */
static void say(struct engine *engine, const struct tally_client *client)
{
    char text[TALLY_TEXT];
    unsigned refused = atomic_fetch_add(&engine->refused, 1) + 1;
    if (!log_is_due(&engine->refused_said, clock_now_ms()))
        return;
    tally_text(client, text);
    atomic_fetch_sub(&engine->refused, refused);
    log_msg(LOG_CLIENT_LIMIT, "%s has %d connections, which is max_connections_per_client: "
            "a further one was closed (of all clients since the last such line: %u)", text,
            engine->client_limit, refused);
}

/* By a reset: nothing of it is left here, and the client sees that it was not a normal end. */
static void refuse(struct loop *loop, struct accepted *accepted, const struct tally_client *client)
{
    static const struct linger at_once = {.l_onoff = 1};
    setsockopt(accepted->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    limit_drop(accepted);
    board_add(&loop->settings.record->refused, 1);
    say(loop->engine, client);
}

bool limit_admit(struct loop *loop, struct accepted *accepted)
{
    struct engine *engine = loop->engine;
    struct board *board = engine->board;
    struct tally_client client;
    if (!engine->client_limit || !tally_client(&accepted->peer, &client) ||
        is_exempt(engine, &accepted->peer))
        return true;
    uint64_t hash = tally_hash(board->head->tally_key, &client);
    accepted->place.seat = tally_add(board->own_tally, hash);
    if (accepted->moved || !accepted->place.seat ||
        board_tally_count(board, hash) <= (uint64_t)engine->client_limit)
        return true;
    refuse(loop, accepted, &client);
    return false;
}

void limit_leave(struct place *place)
{
    if (place->seat && (!place->held || atomic_exchange(place->held, 0)))
        tally_drop(place->seat);
    place->seat = NULL;
}

void limit_drop(struct accepted *accepted)
{
    limit_leave(&accepted->place);
    sys_close(&accepted->fd);
}
