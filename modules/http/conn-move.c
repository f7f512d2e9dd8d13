/* A connection that goes from one worker to another while it waits for its next request: what the
 * other one must know of it.
 *
 * Runs in the loop's thread that owns the connection. A parcel is read by whichever version of this
 * module the other worker has loaded, and may come from a worker that was taken over: one that
 * makes no sense tells nothing, and the connection begins as a new one would. */
#include "config.h"

#include <string.h>

#include "conn.h"

#define PARCEL_VERSION 1

struct conn_parcel {
    uint32_t version; /* changes with the meaning of the rest */
    uint32_t requests;
    int64_t idle_until;
};

_Static_assert(sizeof(struct conn_parcel) <= REEVE_PARCEL, "a parcel holds that");

int conn_pack(reeve_conn *conn, void *parcel)
{
    const struct http_conn *c = reeve_state(conn);
    const struct conn_parcel filled = {PARCEL_VERSION, c->requests, c->idle_until};
    if (c->state != CONN_IDLE || c->said != REEVE_WANT_READ)
        return -1;
    memcpy(parcel, &filled, sizeof filled);
    return sizeof filled;
}

/* What is left of its time, by our own configuration too. */
static int64_t conn_time_left(int64_t idle_until)
{
    int64_t now = reeve_now();
    if (idle_until <= now)
        return 1;
    if (idle_until - now > settings.keepalive_timeout)
        return settings.keepalive_timeout;
    return idle_until - now;
}

reeve_verdict conn_unpack(reeve_conn *conn, const void *parcel, size_t length)
{
    struct http_conn *c = reeve_state(conn);
    struct conn_parcel filled;
    if (length != sizeof filled)
        return conn_step(conn);
    memcpy(&filled, parcel, sizeof filled);
    if (filled.version != PARCEL_VERSION || filled.idle_until < 0)
        return conn_step(conn);
    c->requests = filled.requests;
    c->idle_until = filled.idle_until;
    c->timed = true;
    reeve_deadline(conn, conn_time_left(filled.idle_until));
    return c->said = REEVE_WANT_READ;
}
