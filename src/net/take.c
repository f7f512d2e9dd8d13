/* Taking one connection: accept it, and serve it here or hand it to a thread or process of its
 * own.
 *
 * Thread: the loop's. Memory: an accepted descriptor is the loop's, in hand, until somebody else
 * has taken it over. What must hold: who was accepted first is handed over first. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/loop-private.h"

/* Somebody has shut the socket down, which all workers share. It is watched again with the others,
 * or when the master calls, who has it listen again; the other listeners go on meanwhile. */
static enum taken deaf(struct loop *loop, struct loop_listener *from, int error)
{
    if (!from->deaf)
        log_msg(LOG_ACCEPT_FAILED, "%s: %s", from->listener->address, strerror(error));
    from->deaf = true;
    loop->ops->drop(loop->wait, &from->source, false);
    return TAKE_DRY;
}

static enum taken failed(struct loop *loop, struct loop_listener *from, int error)
{
    switch (error) {
    case EAGAIN:
        from->deaf = false;
        return TAKE_DRY;
    case EMFILE: /* the limit is lower than it was */
        reserve_sink(loop);
        return TAKE_STARVED;
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return TAKE_STARVED;
    case ENOTSOCK:
        if (!atomic_load(&from->listener->removed) && loop->phase == LOOP_DRAINING)
            return TAKE_DRY; /* an orphan has let go of it: crew_release_listeners() */
        /* fall through */
    case EBADF:
    case EINVAL:
    case EOPNOTSUPP: /* will not pass by itself: not to be tried at full speed */
        return deaf(loop, from, error);
    default: /* ECONNABORTED, EINTR, EPROTO and the network errors of accept(2) */
        return TAKE_SKIPPED;
    }
}

static enum taken launch(struct loop *loop)
{
    atomic_fetch_add(&loop->launched, 1); /* first: it may have ended before launch() returns */
    record_share(loop, 1);
    if (loop->engine->launch(loop, &loop->in_hand) < 0) {
        int error = errno;
        record_share(loop, -1u);
        atomic_fetch_sub(&loop->launched, 1);
        errno = error;
        return TAKE_STARVED;
    }
    loop->in_hand.fd = -1;
    accept_taken(loop);
    return TAKE_DONE;
}

/* Memory is short: it is kept, unless nobody would come back to it. */
static enum taken keep(struct loop *loop, struct accepted *accepted)
{
    if (loop->phase == LOOP_DRAINING)
        limit_drop(accepted);
    else
        loop->in_hand = *accepted;
    errno = ENOMEM;
    return TAKE_STARVED;
}

static enum taken serve(struct loop *loop, struct loop_listener *from, struct accepted *accepted)
{
    struct reeve_conn *conn = conn_new(loop, from, accepted);
    if (!conn)
        return keep(loop, accepted);
    accept_taken(loop); /* before it is served, which may take long */
    if (loop->phase == LOOP_DRAINING)
        farewell_begin(&loop->farewell, clock_now_ms(), loop->engine->drain_linger);
    step_begin(conn, accepted);
    return TAKE_DONE;
}

static bool is_served_here(const struct loop *loop)
{
    return !loop->engine->launch || loop->settings.launched;
}

enum taken take_accepted(struct loop *loop, struct loop_listener *from, struct accepted *accepted)
{
    if (is_served_here(loop))
        return serve(loop, from, accepted);
    loop->in_hand = *accepted;
    return launch(loop);
}

enum taken take_in_hand(struct loop *loop)
{
    struct accepted accepted = loop->in_hand;
    if (!is_served_here(loop))
        return launch(loop);
    loop->in_hand.fd = -1;
    return serve(loop, &loop->listeners[accepted.listener - loop->engine->listeners], &accepted);
}

enum taken take_one(struct loop *loop, struct loop_listener *from)
{
    struct accepted accepted = {.listener = from->listener, .peer.ss_family = AF_UNSPEC};
    socklen_t length = sizeof accepted.peer;
    if (!reserve_allows(loop, from->source.fd))
        return TAKE_STARVED;
    accepted.fd = accept4(from->source.fd, (struct sockaddr *)&accepted.peer, &length,
                          SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted.fd < 0)
        return failed(loop, from, errno);
    reserve_note(loop, accepted.fd);
    from->deaf = false;
    if (!limit_admit(loop, &accepted))
        return TAKE_SKIPPED;
    return take_accepted(loop, from, &accepted);
}
