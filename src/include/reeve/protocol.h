/* reeve/protocol.h: a protocol is a step function over a connection.
 *
 * The engine owns descriptor, buffers, deadlines and threads. A protocol consumes bytes from the
 * input and appends to the output; it never touches a descriptor and never waits. That is why the
 * same module runs under every concurrency model.
 *
 * Thread: a connection belongs to one loop thread from open to close, and all hooks of that
 * connection run there. Only reeve_submit's `run` is called elsewhere.
 */
#ifndef REEVE_PROTOCOL_H
#define REEVE_PROTOCOL_H

#include <sys/types.h>

#include "reeve/module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct reeve_conn reeve_conn;

/* What a step says to the engine. After each of them the engine first sends what was queued. */
typedef enum reeve_verdict {
    REEVE_WANT_READ = 1, /* call again when there is more input, or its end */
    REEVE_WANT_WRITE,    /* call again when the output has gone down to the low-water mark */
    REEVE_JOB,           /* a job is in flight: call again after its `done`, do not read before;
                            with a deadline and no job (since 1.2): call `expired` then */
    REEVE_CLOSE,         /* send what is queued, then close */
    REEVE_ERROR,         /* close now, unsent output is lost */
} reeve_verdict;

#define REEVE_PARCEL 64 /* bytes that can go with a connection to another worker */

typedef struct reeve_protocol {
    size_t conn_size; /* bytes of zeroed state allocated with each connection: reeve_state();
                         aligned for any type */
    size_t max_input; /* most unconsumed input the protocol can ask for by WANT_READ; 0: 64 KiB.
                         A step that wants more is a bug and gets the connection closed. */

    /* Reads the protocol's own section, once per worker, main thread, with the privileges the
     * worker started with. 0, or -1 after reeve_conf_error(). May be NULL. */
    int (*configure)(const reeve_section *section);

    /* A connection begins; the input is still empty. Return what a step would (a protocol whose
     * server speaks first queues its greeting here). May be NULL: WANT_READ. */
    reeve_verdict (*open)(reeve_conn *conn);

    /* Looks at the input, consumes what is complete, queues answers, says what it needs. Called
     * with new input, at the input's end (reeve_at_end()), after a job, and when output went out
     * after WANT_WRITE. Must make progress or ask for something: WANT_READ after the input's end,
     * when nothing more can come, ends the connection. Not NULL. */
    reeve_verdict (*step)(reeve_conn *conn);

    /* The deadline set by reeve_deadline() has passed; there is none until another is set.
     * WANT_READ: go on as before. May be NULL: the connection is closed. */
    reeve_verdict (*expired)(reeve_conn *conn);

    /* The worker drains: finish what is in hand, take nothing new. Called once, and at once, but
     * for a connection that is idle (not busy, no input, output or job) only when its part of
     * drain_linger has passed, which is half of it at least, so that a close does not cross a
     * request; reeve_draining() is true from the start.
     * WANT_READ: go on as before. May be NULL: the connection goes on until it ends or the drain
     * deadline closes it. Of a protocol with `pack` a connection that was told while it was busy,
     * and cannot be moved when it is idle, is told again. */
    reeve_verdict (*drain)(reeve_conn *conn);

    /* The connection is over and no job of it is in flight: release what the state holds. Nothing
     * can be sent any more. The state's memory itself belongs to the engine. May be NULL. */
    void (*close)(reeve_conn *conn);

    /* Since 1.3, both or none: idle connections of a worker that drains go on in another one, and
     * the client notices nothing. Asked when the connection is idle (as above) and not at its
     * input's end: writes what the other worker must know of it, at most REEVE_PARCEL bytes, and
     * returns their number; -1: it cannot go now. If it does go, `close` follows here. */
    int (*pack)(reeve_conn *conn, void *parcel);
    /* In the other worker, instead of `open`. The parcel may be another version's of this module,
     * or not be from a worker in its right mind: check it. The state is zeroed. */
    reeve_verdict (*unpack)(reeve_conn *conn, const void *parcel, size_t length);

    /* Since 1.3. A job of this connection runs longer than handler_timeout: its thread is given up,
     * reeve_cancelled() is true in it, and what it was given stays its own until `done`, which may
     * come late or never. Answer by something else ("try again") and return CLOSE, or ERROR if the
     * answer had begun. Where there is no pool another thread calls this in the loop's place, whose
     * own is in that job. Until `done` nothing of the connection is freed; `close` comes after it.
     * May be NULL: the connection is closed. */
    reeve_verdict (*late)(reeve_conn *conn);
} reeve_protocol;

/* ---------------------------------------------------------------- state and input --- */

/* All functions that take a connection: in its loop thread, from within a hook or `done`, but for
 * reeve_peer() and reeve_listener(), whose texts live as long as the connection. */

/* The protocol's own state: conn_size bytes, zeroed at open. */
REEVE_API void *reeve_state(reeve_conn *conn);

/* The unconsumed input, never NULL; *length may be 0. Valid until the hook returns. */
REEVE_API const char *reeve_input(reeve_conn *conn, size_t *length);

/* Takes the first `length` bytes off the input, at most what reeve_input() showed: more is a bug
 * and aborts the worker. */
REEVE_API void reeve_consume(reeve_conn *conn, size_t length);

/* The peer has sent its last byte (input may still hold unconsumed ones). */
REEVE_API bool reeve_at_end(const reeve_conn *conn);

/* The peer's address as text, without port: "192.0.2.1", "2001:db8::1", "unix". */
REEVE_API const char *reeve_peer(const reeve_conn *conn);
/* The listener's address as configured: "127.0.0.1:8080", "unix:/run/x". */
REEVE_API const char *reeve_listener(const reeve_conn *conn);

/* ---------------------------------------------------------------- output ------------ */

/* Called once when the engine no longer needs borrowed memory or a file, sent or not; loop thread.
 * It may not send. */
typedef void reeve_release_f(void *arg);

/* Queue output. 0, or -1 when memory is short or the connection has ended already (the queue is
 * unchanged, `release` is not called: the step should return REEVE_ERROR). Nothing is sent before
 * the hook returns. */
REEVE_API int reeve_send(reeve_conn *conn, const void *data, size_t length); /* copied */
REEVE_API int reeve_send_borrowed(reeve_conn *conn, const void *data, size_t length,
                                  reeve_release_f *release, void *arg); /* release may be NULL */
/* `length` bytes of `fd` from `offset`, by sendfile. The descriptor stays the caller's, open
 * until `release`. If the file turns out shorter the connection is closed, since a promised length
 * cannot be kept. What is not in memory is read by a pool thread before it is sent, so that the
 * loop does not wait for the disk; where the model has no pool, or the file system cannot tell, it
 * does. */
REEVE_API int reeve_send_file(reeve_conn *conn, int fd, off_t offset, size_t length,
                              reeve_release_f *release, void *arg);

/* Room for `want` bytes to be written in place; reeve_commit() says how many were, at most `want`.
 * NULL when memory is short or the connection has ended. No other reeve_send* between the two. */
REEVE_API char *reeve_reserve(reeve_conn *conn, size_t want);
REEVE_API void reeve_commit(reeve_conn *conn, size_t length);
/* Both in one, where the length is known before: these bytes are queued already, and all of them
 * must be written before the hook returns or anything else is queued. Since 1.3. */
REEVE_API char *reeve_append(reeve_conn *conn, size_t length);

/* Bytes queued and not yet sent; when the connection has ended, in `close` for instance, those that
 * never were. */
REEVE_API size_t reeve_queued(const reeve_conn *conn);
/* Output went above the high-water mark and not yet down to the low one: stop producing and return
 * WANT_WRITE. */
REEVE_API bool reeve_congested(const reeve_conn *conn);

/* ---------------------------------------------------------------- time and jobs ----- */

/* Sets the connection's one deadline, `ms` from reeve_now(); 0: none. Cheap: a store. While output
 * is waiting to be sent the engine's send_timeout and send_rate rule instead; when all is sent,
 * after a wait, the deadline's time begins anew. */
REEVE_API void reeve_deadline(reeve_conn *conn, int64_t ms);

/* All that was asked has been answered: is there nothing to go on with, neither input nor its end,
 * and is the output not congested? Then this sets the deadline and returns when it will be, by
 * reeve_now(): return WANT_READ. 0: nothing was done, go on. Since 1.3. */
REEVE_API int64_t reeve_pause(reeve_conn *conn, int64_t ms);

/* The worker is draining: answer, then close. Any thread. */
REEVE_API bool reeve_draining(void);
/* The worker is draining and this connection cannot go on in another one: so the answer that is
 * given now is its last, and should say so if the protocol has a word for that. Since 1.3. */
REEVE_API bool reeve_is_last(reeve_conn *conn);

/* Runs run(arg) in a pool thread; then done(conn, arg, ran) in the loop thread, exactly once. Then
 * the engine steps. Where the model has no pool, both are called before this returns. `ran` is
 * false when the job was skipped because the connection had ended meanwhile; an end may also come
 * while it runs: what `done` sends is refused then. Several jobs of a connection may be in flight.
 * Return REEVE_JOB from the hook after a successful submit. 0, or -1 when the pool's queue is full,
 * memory is short or the connection has ended: nothing was called. */
REEVE_API int reeve_submit(reeve_conn *conn, void (*run)(void *arg),
                           void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg);

/* Since 1.3. The same for the first work of a request, which may be refused in time of overload: a
 * job that has waited for a thread longer than queue_time allows is skipped, `ran` being false
 * while reeve_ended(conn) is false too. Say so to the client then ("busy, try again"); it costs
 * nobody a thread. `first`: it goes before all that wait and is not refused for that (health
 * checks). Work that goes on with what a client was promised is given to reeve_submit(). */
REEVE_API int reeve_submit_request(reeve_conn *conn, void (*run)(void *arg),
                                   void (*done)(reeve_conn *conn, void *arg, bool ran), void *arg,
                                   bool first);
/* Since 1.3. The connection has ended: nothing can be sent any more. Loop thread. */
REEVE_API bool reeve_ended(const reeve_conn *conn);

/* In `run`: has the connection ended meanwhile, so that nobody waits for the result? False in any
 * other place. */
REEVE_API bool reeve_cancelled(void);

/* A job that ends later, when something has happened elsewhere: no thread waits for it meanwhile.
 *
 * reeve_job_begin(), loop thread, in a hook: it is in flight from now on; return REEVE_JOB. NULL:
 * memory is short or the connection has ended. reeve_job_keep(), in `run`: the job that runs does
 * not end when `run` returns; NULL in any other place. In both cases `done` is called after
 * reeve_job_end(), which any thread calls exactly once and which is the last that it may do with
 * the job. `ran` is false for a begun job when the connection has ended before. */
typedef struct reeve_job reeve_job;
REEVE_API reeve_job *reeve_job_begin(reeve_conn *conn,
                                     void (*done)(reeve_conn *conn, void *arg, bool ran),
                                     void *arg);
REEVE_API reeve_job *reeve_job_keep(void);
/* Any thread, before the end: false when the connection has ended meanwhile. */
REEVE_API bool reeve_job_wanted(const reeve_job *job);
/* Any thread. A worker that drains waits for it, at most until the drain's deadline. */
REEVE_API void reeve_job_end(reeve_job *job);

/* The peer may still be sending what nobody will read: when the connection closes, the answer is
 * sent and what comes is thrown away for a moment, so that a reset does not overtake it (RFC 9112,
 * 9.6). Without this call that is done only if something lies unread at the close. */
REEVE_API void reeve_linger(reeve_conn *conn);

/* Since 1.3. The peer has promised to send nothing more: that spares a look, at the close, at what
 * may have come since the last read. Input that is there already is met as ever. */
REEVE_API void reeve_no_more(reeve_conn *conn);

/* For the board (`reevectl status`): a request begins, is counted, and is named by `label` (copied,
 * shortened to 87 bytes); it is over. A job's pool thread shows the same label. */
REEVE_API void reeve_busy(reeve_conn *conn, const char *label, size_t length);
REEVE_API void reeve_idle(reeve_conn *conn);
/* A request failed by the server's own fault (HTTP: most of 5xx): counted, once a request. Many of
 * them end the probation of a configuration. Since 1.3. */
REEVE_API void reeve_failed(reeve_conn *conn);

/* What the calling thread has in hand, for the report of a crash (`reevectl crashes`). `describe`
 * fills it in: it is called with `arg` if the thread dies, in the handler of the signal, so it
 * only reads what it finds and points at it; a bad pointer does no harm then. In threads that may
 * wait it is called at once, too, for `reevectl status`; elsewhere to say so costs two stores.
 * NULL: nothing any more. Any thread of the worker. Since 1.3. */
typedef struct reeve_hand {
    const char *module, *site, *route; /* whose code runs, and why */
    const char *method, *target;       /* of the request, as it was sent */
} reeve_hand;
REEVE_API void reeve_in_hand(void (*describe)(const void *arg, reeve_hand *hand), const void *arg);

/* The same; and `place`, which lives as long as the worker, as its texts do, says whose code runs
 * in case it runs for long: in threads that may not wait `reevectl status` shows it then. That
 * costs another store. Since 1.3. */
typedef struct reeve_place {
    const char *module, *route;
} reeve_place;
REEVE_API void reeve_in_hand_at(void (*describe)(const void *arg, reeve_hand *hand),
                                const void *arg, const reeve_place *place);

/* Is such a request in quarantine, since it, or the module, has crashed workers? For how many
 * milliseconds still; 0: it is not. A protocol asks before it calls a handler, and refuses. Any
 * thread of the worker. Since 1.3. */
REEVE_API int64_t reeve_quarantined(const char *module, const char *method, const char *target);

#ifdef __cplusplus
}
#endif
#endif
