/* Jobs: work that a protocol hands to the pool, or waits for from elsewhere, and how it comes back.
 *
 * Threads: reeve_submit, reeve_job_begin and job_returned in the loop's; job_run and job_finished
 * in a pool thread, which owns the job from engine.submit until the last of its holders has put it
 * into the loop's inbox: a job that was begun or kept is held by whoever ends it, in whatever
 * thread. Memory: jobs are the loop's and are kept for the next one. What must hold: `done` is
 * called exactly once for each job that was taken in, and the connection lives until then. */
#include "config.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/loop-private.h"

#define SPARES 64

static _Thread_local struct job *running;

struct reeve_job {
    struct job job; /* first: the pool sees only this */
    struct list node;
};

static struct reeve_job *job_new(struct loop *loop)
{
    if (list_empty(&loop->spare_jobs))
        return malloc(sizeof(struct reeve_job));
    struct list *node = loop->spare_jobs.next;
    list_remove(node);
    loop->spare_job_count--;
    return list_entry(node, struct reeve_job, node);
}

/* The job is off its connection's list. */
static void job_free(struct loop *loop, struct reeve_job *own)
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
        free(list_entry(node, struct reeve_job, node));
    list_init(&loop->spare_jobs);
}

void job_fill(struct job *job, struct reeve_conn *conn, void (*back)(struct job *job))
{
    const char *protocol = conn->from->listener->protocol_name;
    memset(job, 0, sizeof *job);
    job->queued_at = clock_now_ms();
    job->loop = conn->loop;
    job->conn = conn;
    job->back = back;
    job->holders = 1;
    job->doubtful = conn->hangup;
    memcpy(job->protocol, protocol, strnlen(protocol, sizeof job->protocol - 1));
    record_keep_label(conn);
    if (conn->label)
        memcpy(job->label, conn->label->text, sizeof job->label);
}

/* From the inbox: calls done, then the engine steps. */
static void job_returned(struct job *job);

/* A job in flight; NULL: memory is short. */
static struct reeve_job *job_open(reeve_conn *conn, void (*run)(void *arg),
                                 void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg)
{
    struct reeve_job *own = job_new(conn->loop);
    if (!own)
        return NULL;
    job_fill(&own->job, conn, job_returned);
    own->job.run = run;
    own->job.done = done;
    own->job.arg = arg;
    list_append(&conn->jobs, &own->node);
    return own;
}

static bool is_cancelled(const struct job *job)
{
    return atomic_load_explicit(&job->cancelled, memory_order_relaxed);
}

void job_run(struct job *job)
{
    if (is_cancelled(job))
        return;
    running = job;
    job->ran = true; /* before: who has kept it may end it at once */
    job->run(job->arg);
    running = NULL;
}

const struct job *job_running(void)
{
    return running;
}

bool job_let_go(struct job *job)
{
    return atomic_fetch_sub(&job->holders, 1) == 1;
}

/* Off the connection's list, and told. */
static void job_done(struct reeve_job *own)
{
    struct reeve_conn *conn = own->job.conn;
    void (*done)(reeve_conn *conn, void *arg, bool ran) = own->job.done;
    void *arg = own->job.arg;
    bool ran = own->job.ran;
    list_remove(&own->node);
    job_free(conn->loop, own);
    done(conn, arg, ran);
}

/* While others had the thread nobody has told what became of this one's client. One that has only
 * closed its half is not meant. */
static bool is_gone(const struct reeve_conn *conn)
{
    struct pollfd peer = {.fd = conn->source.fd};
    return poll(&peer, 1, 0) > 0 && peer.revents & (POLLHUP | POLLERR);
}

/* In this thread. A job that is kept comes back by the inbox, any other at once. */
static int submit_inline(struct reeve_job *own)
{
    struct reeve_conn *conn = own->job.conn;
    if (own->job.rank != JOB_PROMISED && is_gone(conn))
        own->job.cancelled = conn->gone = true;
    bool late = inline_run(&own->job);
    clock_refresh(); /* it may have taken long, and `done` will set a deadline */
    if (late) { /* its connection is over: what the caller still looks at stays until the inbox */
        job_finished(&own->job);
        return 0;
    }
    if (!job_let_go(&own->job))
        return 0;
    conn->due = true;
    job_done(own);
    return 0;
}

static int submit(reeve_conn *conn, void (*run)(void *arg),
                  void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg,
                  enum job_rank rank)
{
    struct loop *loop = conn->loop;
    assert(loop == loop_current());
    if (conn->state != CONN_OPEN)
        return -1;
    struct reeve_job *own = job_open(conn, run, done, arg);
    if (!own)
        return -1;
    own->job.rank = rank;
    if (!loop->engine->submit)
        return submit_inline(own);
    if (loop->engine->submit(&own->job) == 0)
        return 0;
    list_remove(&own->node);
    job_free(loop, own);
    return -1;
}

int reeve_submit(reeve_conn *conn, void (*run)(void *arg),
                 void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg)
{
    return submit(conn, run, done, arg, JOB_PROMISED);
}

int reeve_submit_request(reeve_conn *conn, void (*run)(void *arg),
                         void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg, bool first)
{
    return submit(conn, run, done, arg, first ? JOB_FIRST : JOB_REQUEST);
}

bool reeve_cancelled(void)
{
    return running && is_cancelled(running);
}

/* ------------------------------------------------------------------- begun, not submitted --- */

reeve_job *reeve_job_begin(reeve_conn *conn, void (*done)(reeve_conn *conn, void *arg, bool ran),
                           void *arg)
{
    assert(conn->loop == loop_current());
    return conn->state == CONN_OPEN ? job_open(conn, NULL, done, arg) : NULL;
}

reeve_job *reeve_job_keep(void)
{
    if (!running)
        return NULL;
    atomic_fetch_add(&running->holders, 1);
    return (struct reeve_job *)(void *)running;
}

bool reeve_job_wanted(const reeve_job *begun)
{
    return !is_cancelled(&begun->job);
}

void reeve_job_end(reeve_job *begun)
{
    if (!begun->job.run)
        begun->job.ran = !is_cancelled(&begun->job);
    job_finished(&begun->job);
}

/* ------------------------------------------------------------------- coming back --- */

void job_finished(struct job *job)
{
    if (!job_let_go(job))
        return;
    struct loop *loop = job->loop; /* once it is in the inbox the job is no longer ours */
    struct job *first = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    atomic_fetch_add(&loop->visitors, 1);
    do
        job->next = first;
    while (!atomic_compare_exchange_weak(&loop->inbox, &first, job));
    loop_wake(loop);
    atomic_fetch_sub(&loop->visitors, 1); /* loop_free() waits for that */
}

bool job_has_late(const struct reeve_conn *conn)
{
    list_each(node, &conn->jobs)
        if (atomic_load(&list_entry(node, struct reeve_job, node)->job.late))
            return true;
    return false;
}

void job_cancel_all(struct reeve_conn *conn)
{
    list_each(node, &conn->jobs) {
        struct reeve_job *own = list_entry(node, struct reeve_job, node);
        atomic_store_explicit(&own->job.cancelled, true, memory_order_relaxed);
    }
}

void job_doubt_all(struct reeve_conn *conn)
{
    list_each(node, &conn->jobs) {
        struct reeve_job *own = list_entry(node, struct reeve_job, node);
        atomic_store_explicit(&own->job.doubtful, true, memory_order_relaxed);
    }
}

static void job_returned(struct job *job)
{
    struct reeve_conn *conn = job->conn;
    conn->loop->stepping = conn;
    job_done((struct reeve_job *)(void *)job);
    if (conn->state == CONN_OPEN) {
        conn->due = true;
        step_run(conn);
    } else if (conn->state == CONN_ZOMBIE) {
        conn_end_if_last(conn);
    }
}
