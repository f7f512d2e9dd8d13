/* A stand-in for the program that modules are loaded into: reeve_* over memory, so that a module
 * can be tested without sockets, threads and a parsed configuration. One thread. */
#ifndef TESTS_FAKE_REEVE_H
#define TESTS_FAKE_REEVE_H
#include "reeve/http.h"
#include "reeve/protocol.h"

/* ---- configuration: a section is a list of values ended by name == NULL */
struct fake_value {
    const char *name;
    int64_t number;              /* INT, SIZE, DURATION, BOOL */
    const char *text;            /* STRING, PATH, ENUM */
    const char *const *items;    /* LIST */
    const reeve_section *sections;
    size_t count;                /* of items or sections */
};
struct reeve_section {
    const char *title;
    const struct fake_value *values;
    const struct reeve_handler *handler; /* HANDLER */
    const reeve_section *options;
    unsigned minor;              /* interface of the handler's module, 0: the newest */
};
extern char fake_error[1024]; /* the last reeve_conf_error(), "name: text" */
extern char fake_reads[4096]; /* what reeve_conf_reads() was told, a line each */

/* ---- log */
extern char fake_log[4096];    /* the last reeve_log() */
extern char fake_access[65536]; /* all that was written to log files */

/* ---- clock */
extern int64_t fake_seconds;

/* ---- connections */
enum fake_pool { FAKE_INLINE, FAKE_DEFERRED, FAKE_FULL };
extern enum fake_pool fake_pool;
extern bool fake_draining;
extern size_t fake_high_water;
extern size_t fake_window;        /* how many bytes more the peer takes */
extern unsigned fake_memory_left; /* how many more times output may be queued */

reeve_conn *fake_open(const reeve_protocol *protocol);
void fake_feed(reeve_conn *conn, const void *data, size_t length);
void fake_end(reeve_conn *conn);     /* the peer has sent its last byte */
/* Runs the job that was submitted, or gives one back that reeve_job_end() has ended. */
void fake_run_jobs(reeve_conn *conn, bool run);
void fake_go(reeve_conn *conn);      /* the client has gone, and its job is in flight */
void fake_expire(reeve_conn *conn);
void fake_drain(reeve_conn *conn);
const char *fake_output(reeve_conn *conn, size_t *length); /* all so far; ends with NUL */
reeve_verdict fake_verdict(const reeve_conn *conn);
int64_t fake_deadline(const reeve_conn *conn);
int fake_busy(const reeve_conn *conn);       /* reeve_busy() less reeve_idle() */
int fake_requests(const reeve_conn *conn);   /* calls of reeve_busy() */
bool fake_lingers(const reeve_conn *conn);   /* reeve_linger() was called */
int fake_flushes(const reeve_conn *conn);    /* times that output was sent */
void fake_close(reeve_conn **conn);
#endif
