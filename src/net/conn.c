/* The life of a connection, from its descriptor to its grave: see conn.h for threads, memory and
 * what must hold. What the protocol does in between is in step.c. */
#include "config.h"

#include "net/conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "net/loop-private.h"

#define SPARES 256 /* connections that a loop keeps for each listener */

/* Which states may follow: a bit for each. */
static const unsigned next_states[CONN_STATES] = {
    [CONN_OPEN] = 1u << CONN_FLUSHING | 1u << CONN_ZOMBIE | 1u << CONN_DEAD,
    [CONN_FLUSHING] = 1u << CONN_LINGERING | 1u << CONN_ZOMBIE | 1u << CONN_DEAD,
    [CONN_LINGERING] = 1u << CONN_ZOMBIE | 1u << CONN_DEAD,
    [CONN_ZOMBIE] = 1u << CONN_DEAD,
    [CONN_DEAD] = 0,
};

void conn_move(struct reeve_conn *conn, enum conn_state state)
{
    assert(next_states[conn->state] & 1u << state);
    conn->state = state;
}

/* As inet_ntop(), which takes printf for it: a connection that asks one thing would feel that. */
static void put_ipv4(char *to, const unsigned char address[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned byte = address[i];
        if (byte >= 100)
            *to++ = (char)('0' + byte / 100);
        if (byte >= 10)
            *to++ = (char)('0' + byte / 10 % 10);
        *to++ = (char)('0' + byte % 10);
        *to++ = i < 3 ? '.' : '\0';
    }
}

static void peer_text(struct reeve_conn *conn, const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)peer;
        put_ipv4(conn->peer, (const void *)&in->sin_addr);
    } else if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)peer;
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) /* a client of a [::] listener */
            put_ipv4(conn->peer, &in6->sin6_addr.s6_addr[12]);
        else
            inet_ntop(AF_INET6, &in6->sin6_addr, conn->peer, sizeof conn->peer);
    } else {
        memcpy(conn->peer, "unix", 5);
    }
}

static size_t conn_size(const struct loop_listener *from)
{
    return sizeof(struct reeve_conn) + from->listener->protocol->conn_size;
}

static struct reeve_conn *shelf_take(struct loop_listener *from)
{
    if (list_empty(&from->shelf))
        return malloc(conn_size(from));
    struct list *node = from->shelf.next;
    list_remove(node);
    from->shelf_count--;
    return list_entry(node, struct reeve_conn, node);
}

struct reeve_conn *conn_new(struct loop *loop, struct loop_listener *from,
                            const struct accepted *accepted)
{
    struct reeve_conn *conn = shelf_take(from);
    if (!conn)
        return NULL;
    memset(conn, 0, conn_size(from));
    conn->loop = loop;
    conn->from = from;
    conn->protocol = from->listener->protocol;
    conn->state = CONN_OPEN;
    conn->verdict = REEVE_WANT_READ;
    conn->readable = conn->writable = true; /* until a call says otherwise */
    wait_source_init(&conn->source, accepted->fd, WAIT_ROLE_CONN);
    wheel_timer_init(&conn->timer);
    list_init(&conn->ready);
    list_init(&conn->jobs);
    peer_text(conn, &accepted->peer);
    conn->seat = accepted->place.seat;
    loop->seat_held = accepted->place.held;
    conn->passing = accepted->moved && loop->phase == LOOP_DRAINING;
    list_append(&loop->conns, &conn->node);
    loop->held++;
    record_opened(loop, accepted->moved);
    return conn;
}

static void conn_end(struct reeve_conn *conn)
{
    if (conn->protocol->close)
        conn->protocol->close(conn);
    conn_move(conn, CONN_DEAD);
    list_remove(&conn->node);
    list_append(&conn->loop->dead, &conn->node);
}

void conn_end_if_last(struct reeve_conn *conn)
{
    if (list_empty(&conn->jobs) && !conn->ahead)
        conn_end(conn);
}

static void leave_seat(struct reeve_conn *conn)
{
    struct place place = {conn->seat, conn->loop->seat_held};

    limit_leave(&place);
    conn->seat = NULL;
}

void conn_close(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    if (conn->state == CONN_ZOMBIE || conn->state == CONN_DEAD)
        return;
    /* Before the peer can see the end: who has seen it may count on no further job being begun. */
    job_cancel_all(conn);
    ahead_cancel(conn);
    loop->ops->drop(loop->wait, &conn->source, true);
    leave_seat(conn); /* before that, too: its client may come again at once */
    sys_close(&conn->source.fd);
    wheel_cancel(&loop->wheel, &conn->timer);
    list_remove(&conn->ready);
    /* Out of the open state first: what a release callback tries to send is refused. */
    bool zombie = !list_empty(&conn->jobs) || conn->ahead;
    if (zombie)
        conn_move(conn, CONN_ZOMBIE);
    else if (conn->state == CONN_OPEN)
        conn_move(conn, CONN_FLUSHING);
    conn->unsent = conn->out.queued;
    if (!conn->ahead) /* else it still reads the file */
        out_clear(&conn->out, &loop->pool);
    free(conn->buffer);
    conn->buffer = NULL;
    conn->buffer_size = 0;
    conn->input = NULL;
    conn->input_length = 0;
    loop->held--;
    loop->accept.conn_closed = true;
    record_over(conn);
    record_closed(loop, conn->moved);
    if (!zombie)
        conn_end(conn);
}

void conn_fail(struct reeve_conn *conn, enum log_tag tag, const char *why)
{
    log_msg(tag, "%s, client %s of %s: %s", conn->from->listener->protocol_name, conn->peer,
            conn->from->listener->address, why);
    conn_close(conn);
}

void conn_bury(struct loop *loop)
{
    while (!list_empty(&loop->dead)) {
        struct reeve_conn *conn = list_entry(loop->dead.next, struct reeve_conn, node);
        struct loop_listener *from = conn->from;
        list_remove(&conn->node);
        if (from->shelf_count < SPARES) {
            list_append(&from->shelf, &conn->node);
            from->shelf_count++;
        } else {
            free(conn);
        }
    }
}

void conn_shelf_free(struct loop_listener *from)
{
    list_each_safe(node, &from->shelf)
        free(list_entry(node, struct reeve_conn, node));
    list_init(&from->shelf);
    from->shelf_count = 0;
}
