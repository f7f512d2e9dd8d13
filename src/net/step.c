/* Running a protocol: read, step, flush, and when nothing more can be done without waiting, say
 * what to wait for. All that a connection waits for is decided here, in park().
 *
 * Thread: the loop's. What must hold: the scratch buffer serves one connection at a time; a hook
 * never destroys a connection, only this file and flush.c do, after the hook has returned; the work
 * done for one connection in a turn is bounded. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/loop-private.h"

#define READS_A_TURN 16   /* of one connection */
#define ROUNDS_A_TURN 64  /* steps: a generator of output, a busy protocol */
#define LINGER_TIME 2000  /* ms for the peer to read our answer and close */

struct budget {
    int reads, rounds;
};

static void finish(struct reeve_conn *conn)
{
    if (conn->state == CONN_OPEN)
        conn_move(conn, CONN_FLUSHING);
}

/* ------------------------------------------------------------------- verdicts --- */

static void take_want_read(struct reeve_conn *conn, bool progress)
{
    conn->verdict = REEVE_WANT_READ;
    if (progress && (conn->input_length || conn->at_end))
        conn->due = true; /* the next pipelined request, or the news of the end */
    if (conn->due || !list_empty(&conn->jobs))
        return;
    if (conn->at_end)
        finish(conn); /* what it wants will never come */
    else if (conn->input_length >= conn_max_input(conn))
        conn_fail(conn, LOG_CONN_INPUT_OVERFLOW,
                  "more unconsumed input than the protocol declared");
}

/* The one place where a verdict takes effect. `progress`: the hook has come on, so that it may get
 * further with the input that is left. */
static void take(struct reeve_conn *conn, enum reeve_verdict verdict, bool progress)
{
    switch (verdict) {
    case REEVE_WANT_READ:
        take_want_read(conn, progress);
        break;
    case REEVE_WANT_WRITE:
        conn->verdict = verdict;
        break;
    case REEVE_JOB:
        conn->verdict = verdict;
        if (list_empty(&conn->jobs) && !conn->due && !conn->deadline)
            conn_fail(conn, LOG_CONN_ERROR,
                      "the protocol waits for a job that it has not submitted");
        break;
    case REEVE_CLOSE:
        finish(conn);
        break;
    case REEVE_ERROR:
        conn_fail(conn, LOG_CONN_ERROR, "closed by the protocol");
        break;
    default:
        conn_fail(conn, LOG_CONN_ERROR, "the protocol returned no verdict");
        break;
    }
    if (conn->out.queued > conn->loop->engine->high_water)
        conn->congested = true;
}

/* The verdict of a hook that came from outside the protocol's own course (deadline, drain). A
 * WANT_READ means "as before", and nothing but an end may cut short the wait for a job. */
static void take_aside(struct reeve_conn *conn, enum reeve_verdict verdict)
{
    bool waits = verdict == REEVE_WANT_READ || verdict == REEVE_WANT_WRITE;
    bool job = conn->verdict == REEVE_JOB && (!list_empty(&conn->jobs) || conn->due);
    if (waits && job)
        return;
    if (verdict == REEVE_WANT_READ && conn->verdict == REEVE_WANT_WRITE)
        return;
    take(conn, verdict, false);
}

/* ------------------------------------------------------------------- reading and stepping --- */

static bool may_read(const struct reeve_conn *conn)
{
    return conn->verdict == REEVE_WANT_READ && conn->readable && !conn->at_end && !conn->congested;
}

/* New input for a step? A broken connection is closed here. */
static bool fill(struct reeve_conn *conn, struct budget *budget)
{
    int failed;
    if (!may_read(conn) || budget->reads == 0)
        return false;
    budget->reads--;
    if (conn_fill(conn, &failed))
        return true;
    if (failed)
        conn_fail(conn, failed == ENOMEM ? LOG_NO_MEMORY : LOG_CONN_ERROR, strerror(failed));
    return false;
}

/* Steps as long as that leads anywhere; output gathers in the queue. */
static void pump(struct reeve_conn *conn, struct budget *budget)
{
    while (conn->state == CONN_OPEN && budget->rounds > 0) {
        bool step = (conn->due && !conn->congested) || fill(conn, budget);
        if (!step)
            return;
        budget->rounds--;
        conn->due = false;
        /* After a wait for anything but input, what is there has not been looked at yet. */
        bool progress = conn->verdict != REEVE_WANT_READ;
        size_t before = conn->input_length;
        enum reeve_verdict verdict = conn->protocol->step(conn);
        take(conn, verdict, progress || conn->input_length != before);
    }
}

/* ------------------------------------------------------------------- the end --- */

/* Bytes that nobody has read yet. */
static bool has_come(const struct reeve_conn *conn)
{
    int waiting = 0;
    return ioctl(conn->source.fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* Would close() make the kernel send a reset, which may overtake the answer at the peer? */
static bool has_unread(const struct reeve_conn *conn)
{
    if (conn->at_end)
        return false;
    if (conn->lingers || conn->input_length || conn->readable)
        return true;
    return !conn->no_more && has_come(conn);
}

/* All output is sent. */
static void say_goodbye(struct reeve_conn *conn)
{
    if (!has_unread(conn) || shutdown(conn->source.fd, SHUT_WR) < 0) {
        conn_close(conn);
        return;
    }
    conn_move(conn, CONN_LINGERING);
    conn->input_length = 0;
    conn->readable = true;
    conn->engine_deadline = clock_now_ms() + LINGER_TIME;
}

/* ------------------------------------------------------------------- waiting --- */

static int64_t due_at(const struct reeve_conn *conn)
{
    bool engine = conn->state != CONN_OPEN || out_pending(&conn->out);
    if (conn->cold_since)
        return conn->ahead ? 0 : conn->ahead_at;
    return engine ? conn->engine_deadline : conn->deadline;
}

static unsigned wanted(const struct reeve_conn *conn)
{
    unsigned bits = out_pending(&conn->out) && !conn->cold_since ? WAIT_WRITE : 0;
    bool reads = conn->verdict == REEVE_WANT_READ && !conn->at_end && !conn->congested;
    if (conn->state == CONN_LINGERING || (conn->state == CONN_OPEN && reads))
        bits |= WAIT_READ;
    return bits;
}

/* Nothing more can be done now: what is it that this connection waits for? */
static void park(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    if (conn_keep_input(conn) < 0) {
        conn_fail(conn, LOG_NO_MEMORY, "no memory for its input");
        return;
    }
    if (list_empty(&conn->ready) &&
        loop->ops->want(loop->wait, &conn->source, wanted(conn)) < 0) {
        conn_fail(conn, LOG_SYSTEM, strerror(errno));
        return;
    }
    int64_t when = due_at(conn);
    if (when)
        wheel_arm(&loop->wheel, &conn->timer, when);
}

static bool more(const struct reeve_conn *conn)
{
    return conn->state == CONN_OPEN && ((conn->due && !conn->congested) || may_read(conn));
}

static void run_lingering(struct reeve_conn *conn)
{
    if (conn_discard(conn))
        park(conn);
    else
        conn_close(conn);
}

void step_run(struct reeve_conn *conn)
{
    struct budget budget = {.reads = READS_A_TURN, .rounds = ROUNDS_A_TURN};
    if (conn->state == CONN_ZOMBIE || conn->state == CONN_DEAD)
        return;
    conn->loop->stepping = conn;
    do {
        pump(conn, &budget);
        if (!flush_run(conn))
            return;
        if (conn->state == CONN_FLUSHING && !out_pending(&conn->out))
            say_goodbye(conn);
    } while (more(conn) && budget.reads > 0 && budget.rounds > 0 && list_empty(&conn->ready));
    if (conn->state == CONN_DEAD || conn->state == CONN_ZOMBIE)
        return;
    if (conn->loop->settings.connections > 1 && conn->loop->shown == conn) {
        record_keep_label(conn);
        record_idle(conn->loop); /* the thread turns to others; the connection may wait for a job */
    }
    if (conn->state == CONN_LINGERING) {
        run_lingering(conn);
        return;
    }
    if (more(conn))
        ready_add(conn);
    park(conn);
    move_parked(conn);
}

/* ------------------------------------------------------------------- entries --- */

void step_begin(struct reeve_conn *conn, const struct accepted *accepted)
{
    const struct parcel *parcel = &accepted->parcel;
    conn->loop->stepping = conn;
    if (accepted->moved)
        take(conn, conn->protocol->unpack(conn, parcel->bytes, parcel->length), false);
    else if (conn->protocol->open)
        take(conn, conn->protocol->open(conn), false);
    step_run(conn);
}

void step_event(struct reeve_conn *conn, unsigned ready)
{
    if (conn->state == CONN_DEAD || conn->state == CONN_ZOMBIE)
        return;
    if (ready & (WAIT_READ | WAIT_GONE))
        conn->readable = true;
    if (ready & (WAIT_WRITE | WAIT_GONE))
        conn->writable = true;
    if (ready & (WAIT_END | WAIT_GONE)) {
        conn->hangup = true;
        job_doubt_all(conn);
    }
    /* Only a peer that is gone altogether: one that has closed its half may still want the
     * answer. */
    bool job = conn->cold_since || (conn->state == CONN_OPEN && conn->verdict == REEVE_JOB);
    if (ready & WAIT_GONE && job) {
        conn_fail(conn, LOG_CONN_ERROR, "the client has gone while a job was in flight");
        return;
    }
    step_run(conn);
}

/* A request may have come since the turn began, or wait behind many events: it counts. An end must
 * not cross it. */
static void take_what_came(struct reeve_conn *conn)
{
    if (!step_is_unasked(conn) || conn->congested || !has_come(conn))
        return;
    conn->readable = true;
    step_run(conn);
}

static void deadline_passed(struct reeve_conn *conn)
{
    conn->loop->stepping = conn;
    if (conn->state == CONN_LINGERING) {
        conn_close(conn);
    } else if (conn->cold_since) {
        ahead_begin(conn);
        step_run(conn);
    } else if (conn->state == CONN_FLUSHING || out_pending(&conn->out)) {
        conn_fail(conn, LOG_CONN_SEND_TIMEOUT, conn->slow ? "the client reads its answer too slowly"
                                                     : "the client does not read its answer");
    } else {
        take_what_came(conn);
        if (conn->state != CONN_OPEN || !due_at(conn) || due_at(conn) > clock_now_ms())
            return;
        conn->deadline = conn->deadline_span = 0;
        take_aside(conn, conn->protocol->expired ? conn->protocol->expired(conn) : REEVE_CLOSE);
        step_run(conn);
    }
}

void step_timer(struct wheel_timer *timer)
{
    struct reeve_conn *conn = list_entry(timer, struct reeve_conn, timer);
    int64_t when = due_at(conn);
    if (!when)
        return;
    if (when > clock_now_ms())
        wheel_arm(&conn->loop->wheel, timer, when);
    else
        deadline_passed(conn);
}

void step_late(struct reeve_conn *conn)
{
    conn->loop->stepping = conn;
    take(conn, conn->protocol->late(conn), false);
    step_run(conn);
}

void step_drain(struct reeve_conn *conn)
{
    if (conn->drained || conn->state != CONN_OPEN)
        return;
    conn->loop->stepping = conn;
    take_what_came(conn);
    if (conn->state != CONN_OPEN)
        return;
    conn->drained = true;
    if (!conn->protocol->drain)
        return;
    take_aside(conn, conn->protocol->drain(conn));
    step_run(conn);
}

bool step_is_unasked(const struct reeve_conn *conn)
{
    return conn->state == CONN_OPEN && !conn->busy && !conn->input_length && list_empty(&conn->jobs);
}

bool step_is_idle(const struct reeve_conn *conn)
{
    return step_is_unasked(conn) && !out_pending(&conn->out);
}
