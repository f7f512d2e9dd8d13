/* A stand-in for the program that modules are loaded into. See fake-reeve.h. */
#include "config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake-reeve.h"

/* ---------------------------------------------------------------- configuration ----- */

char fake_error[1024];

static const struct fake_value *value(const reeve_section *section, const char *name)
{
    static const struct fake_value none = {.text = ""};
    for (const struct fake_value *v = section->values; v != NULL && v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return &none;
}

bool reeve_conf_bool(const reeve_section *section, const char *name)
{
    return value(section, name)->number != 0;
}

int64_t reeve_conf_int(const reeve_section *section, const char *name)
{
    return value(section, name)->number;
}

const char *reeve_conf_string(const reeve_section *section, const char *name)
{
    return value(section, name)->text;
}

size_t reeve_conf_count(const reeve_section *section, const char *name)
{
    return value(section, name)->count;
}

const char *reeve_conf_item(const reeve_section *section, const char *name, size_t index)
{
    assert(index < value(section, name)->count);
    return value(section, name)->items[index];
}

const reeve_section *reeve_conf_section(const reeve_section *section, const char *name,
                                        size_t index)
{
    assert(index < value(section, name)->count);
    return &value(section, name)->sections[index];
}

const char *reeve_conf_name(const reeve_section *section)
{
    (void)section;
    return "handler";
}

const char *reeve_conf_title(const reeve_section *section)
{
    return section->title;
}

const struct reeve_handler *reeve_conf_handler(const reeve_section *section,
                                               const reeve_section **options)
{
    *options = section->options;
    return section->handler;
}

unsigned reeve_conf_minor(const reeve_section *section)
{
    return section->minor != 0 ? section->minor : REEVE_API_MINOR;
}

int reeve_conf_error(const reeve_section *section, const char *name, const char *format, ...)
{
    (void)section;
    int n = snprintf(fake_error, sizeof fake_error, "%s: ", name != NULL ? name : "-");
    va_list args;
    va_start(args, format);
    vsnprintf(fake_error + n, sizeof fake_error - (size_t)n, format, args);
    va_end(args);
    return -1;
}

void reeve_conf_idle(const reeve_section *section, const char *name, const char *needs)
{
    (void)section;
    (void)name;
    (void)needs;
}

char fake_reads[4096];

void reeve_conf_reads(const char *path)
{
    size_t length = strlen(fake_reads);
    snprintf(fake_reads + length, sizeof fake_reads - length, "%s\n", path);
}

void reeve_opens(const char *path, unsigned what)
{
    (void)path, (void)what;
}

/* ---------------------------------------------------------------- log and clock ----- */

char fake_log[4096];
char fake_access[65536];
int64_t fake_seconds = 1795215662; /* Fri, 20 Nov 2026 23:01:02 GMT */

void reeve_log(enum reeve_level level, const char *tag, const char *format, ...)
{
    int n = snprintf(fake_log, sizeof fake_log, "%d %s: ", (int)level, tag);
    va_list args;
    va_start(args, format);
    vsnprintf(fake_log + n, sizeof fake_log - (size_t)n, format, args);
    va_end(args);
}

reeve_logfile *reeve_logfile_open(const char *path, const char **error)
{
    *error = "no such folder";
    return strcmp(path, "/missing/log") == 0 ? NULL : (reeve_logfile *)(void *)fake_access;
}

void reeve_logfile_write(reeve_logfile *file, const char *line, size_t length)
{
    assert(file == (reeve_logfile *)(void *)fake_access);
    size_t end = strlen(fake_access);
    assert(length > 0 && line[length - 1] == '\n' && end + length < sizeof fake_access);
    memcpy(fake_access + end, line, length);
    fake_access[end + length] = '\0';
}

int64_t reeve_now(void)
{
    return fake_seconds * 1000;
}

int64_t reeve_time(void)
{
    return fake_seconds;
}

/* ---------------------------------------------------------------- connections ------- */

enum fake_pool fake_pool = FAKE_INLINE;
bool fake_draining;
size_t fake_high_water = 65536;
size_t fake_window = SIZE_MAX;
unsigned fake_memory_left = 1000000;

struct text {
    char *data;
    size_t length, room;
};

struct reeve_conn {
    const reeve_protocol *protocol;
    void *state;
    char *input; /* exactly the unconsumed bytes, so that sanitizers see a byte too many */
    size_t length;
    bool ended;
    struct text queue, sent;
    reeve_verdict verdict;
    int64_t deadline;
    int busy, requests, flushes;
    bool lingers;
    size_t reserved;
    void (*run)(void *arg);
    void (*done)(reeve_conn *conn, void *arg, bool ran);
    void *arg;
    bool kept;          /* the job ends by reeve_job_end() */
    bool gone;          /* nobody waits for it */
};

static reeve_conn *running;

static char *room(struct text *text, size_t more)
{
    if (text->room - text->length < more + 1) {
        text->room = (text->length + more + 1) * 2;
        text->data = realloc(text->data, text->room);
        assert(text->data != NULL);
    }
    return text->data + text->length;
}

static void append(struct text *text, const void *data, size_t length)
{
    if (length > 0)
        memcpy(room(text, length), data, length);
    text->length += length;
}

static bool no_memory(void)
{
    if (fake_memory_left == 0)
        return true;
    fake_memory_left--;
    return false;
}

void *reeve_state(reeve_conn *conn)
{
    return conn->state;
}

const char *reeve_input(reeve_conn *conn, size_t *length)
{
    *length = conn->length;
    return conn->input;
}

static void set_input(reeve_conn *conn, const char *a, size_t a_length, const char *b,
                      size_t b_length)
{
    char *input = malloc(a_length + b_length + (a_length + b_length == 0));
    assert(input != NULL);
    if (a_length > 0)
        memcpy(input, a, a_length);
    if (b_length > 0)
        memcpy(input + a_length, b, b_length);
    free(conn->input);
    conn->input = input;
    conn->length = a_length + b_length;
}

void reeve_consume(reeve_conn *conn, size_t length)
{
    assert(length <= conn->length);
    set_input(conn, conn->input + length, conn->length - length, NULL, 0);
}

bool reeve_at_end(const reeve_conn *conn)
{
    return conn->ended;
}

const char *reeve_peer(const reeve_conn *conn)
{
    (void)conn;
    return "192.0.2.1";
}

const char *reeve_listener(const reeve_conn *conn)
{
    (void)conn;
    return "127.0.0.1:80";
}

int reeve_send(reeve_conn *conn, const void *data, size_t length)
{
    if (no_memory())
        return -1;
    append(&conn->queue, data, length);
    return 0;
}

int reeve_send_borrowed(reeve_conn *conn, const void *data, size_t length, reeve_release_f *release,
                        void *arg)
{
    if (reeve_send(conn, data, length) != 0)
        return -1;
    if (release != NULL)
        release(arg);
    return 0;
}

int reeve_send_file(reeve_conn *conn, int fd, off_t offset, size_t length, reeve_release_f *release,
                    void *arg)
{
    if (no_memory())
        return -1;
    ssize_t n = pread(fd, room(&conn->queue, length), length, offset);
    assert(n == (ssize_t)length);
    conn->queue.length += length;
    if (release != NULL)
        release(arg);
    return 0;
}

char *reeve_reserve(reeve_conn *conn, size_t want)
{
    if (no_memory())
        return NULL;
    conn->reserved = want;
    return room(&conn->queue, want);
}

void reeve_commit(reeve_conn *conn, size_t length)
{
    assert(length <= conn->reserved);
    conn->queue.length += length;
    conn->reserved = 0;
}

char *reeve_append(reeve_conn *conn, size_t length)
{
    char *at = reeve_reserve(conn, length);
    if (at != NULL)
        reeve_commit(conn, length);
    return at;
}

size_t reeve_queued(const reeve_conn *conn)
{
    return conn->queue.length;
}

bool reeve_congested(const reeve_conn *conn)
{
    return conn->queue.length > fake_high_water;
}

void reeve_deadline(reeve_conn *conn, int64_t ms)
{
    conn->deadline = ms;
}

int64_t reeve_pause(reeve_conn *conn, int64_t ms)
{
    if (conn->length > 0 || conn->ended || reeve_congested(conn))
        return 0;
    conn->deadline = ms;
    return reeve_now() + ms;
}

void reeve_failed(reeve_conn *conn) { (void)conn; }

bool reeve_is_last(reeve_conn *conn)
{
    (void)conn;
    return fake_draining;
}

bool reeve_draining(void)
{
    return fake_draining;
}

int reeve_submit(reeve_conn *conn, void (*run)(void *arg),
                 void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg)
{
    if (fake_pool == FAKE_FULL)
        return -1;
    assert(conn->run == NULL);
    conn->run = run;
    conn->done = done;
    conn->arg = arg;
    return 0;
}

int reeve_submit_request(reeve_conn *conn, void (*run)(void *arg),
                         void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg, bool first)
{
    (void)first;
    return reeve_submit(conn, run, done, arg);
}

void reeve_no_more(reeve_conn *conn)
{
    (void)conn;
}

bool reeve_ended(const reeve_conn *conn)
{
    return conn->gone;
}

bool reeve_cancelled(void)
{
    return running != NULL && running->gone;
}

reeve_job *reeve_job_begin(reeve_conn *conn, void (*done)(reeve_conn *conn, void *arg, bool ran),
                           void *arg)
{
    assert(conn->run == NULL && !conn->kept);
    if (no_memory())
        return NULL;
    conn->done = done;
    conn->arg = arg;
    conn->kept = true;
    return (reeve_job *)(void *)conn;
}

reeve_job *reeve_job_keep(void)
{
    if (running == NULL)
        return NULL;
    running->kept = true;
    return (reeve_job *)(void *)running;
}

bool reeve_job_wanted(const reeve_job *job)
{
    const reeve_conn *conn = (const reeve_conn *)(const void *)job;
    assert(conn->kept);
    return !conn->gone;
}

void reeve_job_end(reeve_job *job)
{
    reeve_conn *conn = (reeve_conn *)(void *)job;
    assert(conn->kept);
    conn->kept = false;
}

void reeve_in_hand(void (*describe)(const void *arg, reeve_hand *hand), const void *arg)
{
    (void)describe;
    (void)arg;
}

int64_t reeve_quarantined(const char *module, const char *method, const char *target)
{
    (void)module;
    (void)method;
    (void)target;
    return 0;
}

void reeve_linger(reeve_conn *conn)
{
    conn->lingers = true;
}

void reeve_busy(reeve_conn *conn, const char *label, size_t length)
{
    assert(label != NULL && length > 0);
    conn->busy++;
    conn->requests++;
}

void reeve_idle(reeve_conn *conn)
{
    conn->busy--;
}

/* ---------------------------------------------------------------- driving ----------- */

static void finish_job(reeve_conn *conn, bool run)
{
    running = conn;
    if (run && conn->run != NULL)
        conn->run(conn->arg);
    running = NULL;
    conn->run = NULL;
    if (!conn->kept)
        conn->done(conn, conn->arg, run);
}

static void flush(reeve_conn *conn)
{
    size_t length = conn->queue.length < fake_window ? conn->queue.length : fake_window;
    conn->flushes += length > 0;
    append(&conn->sent, conn->queue.data, length);
    conn->queue.length -= length;
    if (conn->queue.length > 0)
        memmove(conn->queue.data, conn->queue.data + length, conn->queue.length);
    fake_window -= length;
}

/* Does what the engine does after a hook, until the connection waits for something from outside. */
static void settle(reeve_conn *conn, reeve_verdict verdict)
{
    for (;; verdict = conn->protocol->step(conn)) {
        conn->verdict = verdict;
        flush(conn);
        if (verdict == REEVE_JOB && conn->run != NULL && fake_pool == FAKE_INLINE)
            finish_job(conn, true);
        else if (verdict != REEVE_WANT_WRITE || reeve_congested(conn))
            return;
    }
}

reeve_conn *fake_open(const reeve_protocol *protocol)
{
    reeve_conn *conn = calloc(1, sizeof *conn);
    assert(conn != NULL);
    conn->protocol = protocol;
    conn->state = calloc(1, protocol->conn_size);
    set_input(conn, NULL, 0, NULL, 0);
    settle(conn, protocol->open != NULL ? protocol->open(conn) : REEVE_WANT_READ);
    return conn;
}

void fake_feed(reeve_conn *conn, const void *data, size_t length)
{
    set_input(conn, conn->input, conn->length, data, length);
    if (conn->verdict == REEVE_WANT_READ)
        settle(conn, conn->protocol->step(conn));
}

void fake_end(reeve_conn *conn)
{
    conn->ended = true;
    if (conn->verdict == REEVE_WANT_READ)
        settle(conn, conn->protocol->step(conn));
}

void fake_run_jobs(reeve_conn *conn, bool run)
{
    assert(conn->run != NULL || conn->done != NULL);
    finish_job(conn, run);
    settle(conn, conn->protocol->step(conn));
}

void fake_go(reeve_conn *conn)
{
    conn->gone = true;
}

void fake_expire(reeve_conn *conn)
{
    conn->deadline = 0;
    settle(conn, conn->protocol->expired(conn));
}

void fake_drain(reeve_conn *conn)
{
    fake_draining = true;
    settle(conn, conn->protocol->drain(conn));
}

const char *fake_output(reeve_conn *conn, size_t *length)
{
    if (length != NULL)
        *length = conn->sent.length;
    *room(&conn->sent, 0) = '\0';
    return conn->sent.data;
}

reeve_verdict fake_verdict(const reeve_conn *conn)
{
    return conn->verdict;
}

int64_t fake_deadline(const reeve_conn *conn)
{
    return conn->deadline;
}

int fake_busy(const reeve_conn *conn)
{
    return conn->busy;
}

int fake_requests(const reeve_conn *conn)
{
    return conn->requests;
}

bool fake_lingers(const reeve_conn *conn)
{
    return conn->lingers;
}

int fake_flushes(const reeve_conn *conn)
{
    return conn->flushes;
}

void fake_close(reeve_conn **pointer)
{
    reeve_conn *conn = *pointer;
    *pointer = NULL;
    conn->gone = true;
    if (conn->run != NULL)
        finish_job(conn, false);
    if (conn->protocol->close != NULL)
        conn->protocol->close(conn);
    assert(conn->busy == 0);
    free(conn->state);
    free(conn->input);
    free(conn->queue.data);
    free(conn->sent.data);
    free(conn);
}
