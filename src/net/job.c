/* Jobs: blocking work that a protocol hands to the pool, and how it comes back.
 *
 * Threads: reeve_submit and job_returned in the loop's; job_run and job_finished in a pool thread,
 * which owns the job from engine.submit until job_finished has put it into the loop's inbox.
 * Memory: jobs are the loop's and are kept for the next one. What must hold: `done` is called
 * exactly once for each job that was taken in, and the connection lives until then. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/loop-private.h"

#define SPARES 64

struct conn_job {
    struct job job; /* first: the pool sees only this */
    struct list node;
};

static struct conn_job *job_new(struct loop *loop)
{
    if (list_empty(&loop->spare_jobs))
        return malloc(sizeof(struct conn_job));
    struct list *node = loop->spare_jobs.next;
    list_remove(node);
    loop->spare_job_count--;
    return list_entry(node, struct conn_job, node);
}

/* The job is off its connection's list. */
static void job_free(struct loop *loop, struct conn_job *own)
{
    if (loop->spare_job_count >= SPARES) {
        free(own);
        return;
    }
    list_append(&loop->spare_jobs, &own->node);
    loop->spare_job_count++;
}

void job_spares_free(struct loop *loop)
{
    list_each_safe(node, &loop->spare_jobs)
        free(list_entry(node, struct conn_job, node));
    list_init(&loop->spare_jobs);
}

static void job_fill(struct job *job, struct reeve_conn *conn)
{
    const char *protocol = conn->from->listener->protocol_name;
    memset(job, 0, sizeof *job);
    job->queued_at = clock_now_ms();
    job->loop = conn->loop;
    job->conn = conn;
    memcpy(job->protocol, protocol, strnlen(protocol, sizeof job->protocol - 1));
    memcpy(job->label, conn->label, conn->label_length);
}

static int submit_inline(reeve_conn *conn, void (*run)(void *arg),
                         void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg)
{
    run(arg);
    clock_refresh(); /* it may have taken long, and `done` will set a deadline */
    conn->due = true;
    done(conn, arg, true);
    return 0;
}

int reeve_submit(reeve_conn *conn, void (*run)(void *arg),
                 void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg)
{
    struct loop *loop = conn->loop;
    assert(loop == loop_current());
    if (conn->state != CONN_OPEN)
        return -1;
    if (!loop->engine->submit)
        return submit_inline(conn, run, done, arg);
    struct conn_job *own = job_new(loop);
    if (!own)
        return -1;
    job_fill(&own->job, conn);
    own->job.run = run;
    own->job.done = done;
    own->job.arg = arg;
    list_append(&conn->jobs, &own->node);
    if (loop->engine->submit(&own->job) == 0)
        return 0;
    list_remove(&own->node);
    job_free(loop, own);
    return -1;
}

void job_run(struct job *job)
{
    if (atomic_load_explicit(&job->cancelled, memory_order_relaxed))
        return;
    job->run(job->arg);
    job->ran = true;
}

void job_finished(struct job *job)
{
    struct loop *loop = job->loop; /* once it is in the inbox the job is no longer ours */
    struct job *first = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do
        job->next = first;
    while (!atomic_compare_exchange_weak(&loop->inbox, &first, job));
    loop_wake(loop);
}

void job_cancel_all(struct reeve_conn *conn)
{
    list_each(node, &conn->jobs) {
        struct conn_job *own = list_entry(node, struct conn_job, node);
        atomic_store_explicit(&own->job.cancelled, true, memory_order_relaxed);
    }
}

void job_returned(struct job *job)
{
    struct conn_job *own = (struct conn_job *)(void *)job;
    struct reeve_conn *conn = job->conn;
    void (*done)(reeve_conn *conn, void *arg, bool ran) = job->done;
    void *arg = job->arg;
    bool ran = job->ran;
    list_remove(&own->node);
    job_free(conn->loop, own);
    done(conn, arg, ran);
    if (conn->state == CONN_OPEN) {
        conn->due = true;
        step_run(conn);
    } else if (conn->state == CONN_ZOMBIE && list_empty(&conn->jobs)) {
        conn_end(conn);
    }
}
