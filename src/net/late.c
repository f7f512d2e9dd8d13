/* Late jobs: one runs in a pool thread longer than it may, and its client is let go.
 *
 * Threads: job_late() in whoever watches the pool, the rest in the loop's. Memory: the notice is
 * the watcher's until it is in the inbox, then the loop's, which frees it; it holds the job, so
 * that job and connection stay until it has been read. What the job works on stays until that is
 * back: a connection that is closed meanwhile is a zombie. What must hold: nobody but the job's
 * thread touches what the job was given. */
#include "config.h"

#include <stdlib.h>

#include "net/loop-private.h"

struct notice {
    struct job job; /* first: the inbox sees only this */
    struct job *late;
};

/* Its protocol answers if it can; else the connection is closed. */
static void tell_client(struct reeve_conn *conn, const struct job *late)
{
    const struct listener *listener = conn->from->listener;
    bool ahead = (const struct job *)(const void *)conn->ahead == late;
    if (conn->state == CONN_ZOMBIE)
        return;
    if (!ahead && conn->state == CONN_OPEN && listener->knows_late && conn->protocol->late)
        step_late(conn);
    else
        conn_fail(conn, LOG_CONN_ERROR, "its work takes too long");
}

void late_let_go(struct job *late)
{
    atomic_store_explicit(&late->cancelled, true, memory_order_relaxed);
    tell_client(late->conn, late);
}

static void on_notice(struct job *job)
{
    struct job *late = ((struct notice *)(void *)job)->late;
    free(job);
    if (atomic_load(&late->late))
        late_let_go(late);
    if (job_let_go(late))
        late->back(late);
}

int job_late(struct job *job)
{
    struct notice *notice = calloc(1, sizeof *notice);
    if (!notice)
        return -1;
    notice->late = job;
    notice->job.loop = job->loop;
    notice->job.back = on_notice;
    notice->job.holders = 1;
    atomic_fetch_add(&job->holders, 1);
    atomic_store(&job->late, true);
    job_finished(&notice->job);
    return 0;
}

static bool is_left_behind(const struct reeve_conn *conn)
{
    if (conn->state != CONN_ZOMBIE)
        return false;
    if (conn->ahead)
        return atomic_load(&((const struct job *)(const void *)conn->ahead)->late);
    return job_has_late(conn);
}

bool late_is_all(const struct loop *loop)
{
    list_each(node, &loop->conns)
        if (!is_left_behind(list_entry(node, struct reeve_conn, node)))
            return false;
    return true;
}

bool loop_has_left(const struct loop *loop)
{
    return !list_empty(&loop->conns);
}
