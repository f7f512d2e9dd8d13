/* The test protocol: see talk.h. Hooks run in loop threads, job_body in pool threads or inline. */
#include "config.h"

#include "talk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct state {
    size_t left, at; /* of `big` */
    bool busy;
};

struct talk_counts talk_counts;
int talk_file = -1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static int permits;
static reeve_job *held[16]; /* begun or kept */

void talk_release(int jobs)
{
    pthread_mutex_lock(&lock);
    permits += jobs;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static void hold(reeve_job *job)
{
    pthread_mutex_lock(&lock);
    held[atomic_fetch_add(&talk_counts.held, 1)] = job;
    pthread_mutex_unlock(&lock);
}

static reeve_job *let_go(void)
{
    pthread_mutex_lock(&lock);
    reeve_job *job = held[atomic_fetch_sub(&talk_counts.held, 1) - 1];
    pthread_mutex_unlock(&lock);
    return job;
}

bool talk_end(void)
{
    reeve_job *job = let_go();
    bool wanted = reeve_job_wanted(job);
    reeve_job_end(job);
    return wanted;
}

static void keep_body(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    hold(reeve_job_keep());
}

static void job_body(void *arg)
{
    atomic_int *runs = arg;
    atomic_fetch_add(&talk_counts.started, 1);
    pthread_mutex_lock(&lock);
    while (!permits)
        pthread_cond_wait(&news, &lock);
    permits--;
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(runs, 1);
}

char talk_byte(size_t at)
{
    return (char)('a' + at % 26);
}

static void say(reeve_conn *conn, const char *text)
{
    if (reeve_send(conn, text, strlen(text)) < 0)
        atomic_fetch_add(&talk_counts.refused, 1);
    if (reeve_queued(conn) > atomic_load(&talk_counts.most_queued))
        atomic_store(&talk_counts.most_queued, reeve_queued(conn));
}

static void job_done(reeve_conn *conn, void *arg, bool ran)
{
    (void)arg;
    if (!ran)
        atomic_fetch_add(&talk_counts.skipped, 1);
    say(conn, ran ? "done\n" : "skipped\n");
}

static void file_released(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static reeve_verdict generate(reeve_conn *conn, struct state *state)
{
    char chunk[5000];
    while (state->left && !reeve_congested(conn)) {
        size_t length = state->left < sizeof chunk ? state->left : sizeof chunk;
        for (size_t i = 0; i < length; i++)
            chunk[i] = talk_byte(state->at + i);
        reeve_send(conn, chunk, length);
        state->at += length;
        state->left -= length;
    }
    say(conn, "");
    return state->left ? REEVE_WANT_WRITE : REEVE_WANT_READ;
}

static reeve_verdict command(reeve_conn *conn, struct state *state, char *line)
{
    if (strncmp(line, "echo ", 5) == 0) {
        say(conn, line + 5);
        say(conn, "\n");
    } else if (strncmp(line, "big ", 4) == 0) {
        state->left = strtoul(line + 4, NULL, 10);
        state->at = 0;
        return generate(conn, state);
    } else if (strncmp(line, "file ", 5) == 0) {
        reeve_send_file(conn, talk_file, 0, strtoul(line + 5, NULL, 10), file_released,
                        &talk_counts.released);
    } else if (strncmp(line, "deadline ", 9) == 0) {
        reeve_deadline(conn, atoi(line + 9));
        say(conn, "ok\n");
    } else if (strncmp(line, "pause ", 6) == 0) {
        int64_t until = reeve_pause(conn, atoi(line + 6));
        say(conn, until == 0 ? "goes on\n"
                  : until == reeve_now() + atoi(line + 6) ? "pauses\n" : "wrong\n");
    } else if (strcmp(line, "busy") == 0) {
        state->busy = true;
        reeve_busy(conn, line, 4);
        say(conn, "ok\n");
    } else if (strcmp(line, "idle") == 0) {
        state->busy = false;
        reeve_idle(conn);
        say(conn, reeve_draining() ? "drained\n" : "ok\n");
        return reeve_draining() ? REEVE_CLOSE : REEVE_WANT_READ;
    } else if (strcmp(line, "job") == 0) {
        if (reeve_submit(conn, job_body, job_done, &talk_counts.ran) < 0)
            return REEVE_ERROR;
        atomic_fetch_add(&talk_counts.submitted, 1);
        return REEVE_JOB;
    } else if (strcmp(line, "keep") == 0) {
        if (reeve_submit(conn, keep_body, job_done, &talk_counts.ran) < 0)
            return REEVE_ERROR;
        return REEVE_JOB;
    } else if (strcmp(line, "begin") == 0) {
        hold(reeve_job_begin(conn, job_done, NULL));
        return REEVE_JOB;
    } else if (strcmp(line, "hang") == 0) {
        return REEVE_JOB;
    } else {
        bool error = strcmp(line, "error") == 0;
        say(conn, error ? "lost\n" : "bye\n");
        return error ? REEVE_ERROR : REEVE_CLOSE;
    }
    return REEVE_WANT_READ;
}

static reeve_verdict step(reeve_conn *conn)
{
    struct state *state = reeve_state(conn);
    char line[256];
    size_t length;
    atomic_fetch_add(&talk_counts.steps, 1);
    if (state->left)
        return generate(conn, state);
    const char *input = reeve_input(conn, &length);
    const char *end = length ? memchr(input, '\n', length) : NULL;
    if (!end && reeve_at_end(conn)) {
        say(conn, "end\n");
        return REEVE_CLOSE;
    }
    if (!end)
        return REEVE_WANT_READ;
    length = (size_t)(end - input);
    if (length >= sizeof line)
        return REEVE_ERROR;
    memcpy(line, input, length);
    line[length] = '\0';
    reeve_consume(conn, length + 1);
    return command(conn, state, line);
}

static reeve_verdict opened(reeve_conn *conn)
{
    (void)conn;
    atomic_fetch_add(&talk_counts.opened, 1);
    return REEVE_WANT_READ;
}

static reeve_verdict greet(reeve_conn *conn)
{
    say(conn, "hello ");
    say(conn, reeve_peer(conn));
    say(conn, "\n");
    return opened(conn);
}

static reeve_verdict expired(reeve_conn *conn)
{
    say(conn, "expired\n");
    return REEVE_CLOSE;
}

static reeve_verdict drain(reeve_conn *conn)
{
    struct state *state = reeve_state(conn);
    if (state->busy)
        return REEVE_WANT_READ;
    say(conn, "drained\n");
    return REEVE_CLOSE;
}

static void closed(reeve_conn *conn)
{
    (void)reeve_state(conn);
    atomic_fetch_add(&talk_counts.closed, 1);
}

#define HOOKS                                                                                      \
    .conn_size = sizeof(struct state), .max_input = 1000, .step = step, .expired = expired,        \
    .drain = drain, .close = closed

const reeve_protocol talk = {HOOKS, .open = opened};
const reeve_protocol talk_greeting = {HOOKS, .open = greet};
const reeve_protocol talk_bare = {.conn_size = sizeof(struct state), .step = step};
