/* reeve/http.h: a handler answers HTTP requests.
 *
 * A handler module sets kind = REEVE_HANDLER and points at a reeve_handler. It is named by the
 * section inside a route:   route "/hello" { hello { text = "hi" } }
 *
 * The functions below are thin wrappers over a table that comes with each request, so a handler
 * links against nothing and can be tested with a table of its own.
 */
#ifndef REEVE_HTTP_H
#define REEVE_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "reeve/module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct reeve_request reeve_request;
typedef struct reeve_prepared reeve_prepared;

/* Constant, and alive as long as the module. */
typedef struct reeve_handler {
    const char *protocol; /* "http" */

    /* True: handle() may wait or compute for long. It then runs in a pool thread where the model
     * has a pool, and never delays another connection. False: it runs in the loop and must return
     * within microseconds; for a single request that takes longer there is reeve_again(). */
    bool blocking;

    /* Reads the handler's section of one route, once per route and worker, main thread, with the
     * privileges the worker started with. `route` is the route's prefix. Stores what handle() is
     * to be given in *config, which stays the module's and must live until worker_exit. 0, or -1
     * after reeve_conf_error(). May be NULL: config is NULL then. */
    int (*configure)(const reeve_section *section, const char *route, void **config);

    /* Answers: exactly one reeve_reply*() call, or reeve_defer() or reeve_again(), whose value it
     * returns. Returning without one, or -1 without an answer, becomes a 500; that, and any other
     * -1, a log line that names the module and the route. The loop thread, or a pool thread if
     * `blocking` or after reeve_again(); several threads at once. */
    int (*handle)(reeve_request *request, void *config);

    /* Since 1.2. Takes the body piece by piece, so that it need not fit into memory: body_limit
     * does not count then, the handler limits. NULL: the body is gathered for handle().
     *
     * Called first with data NULL and length 0, when the head has come and a body is announced,
     * before a client that asks by Expect is told to send it (RFC 9110, 10.1.1); then with each
     * piece in order, 1 byte to 64 KiB, valid during the call. When all has come handle() is called
     * as for any request, and reeve_body() is empty. A request without body: only handle().
     *
     * Returns 0: go on. Or gives the answer at once by a reeve_reply*() (403, 413, 507) and returns
     * its value: no further call comes, handle() is not called, the rest of the body is not waited
     * for and the connection closes behind the answer. -1 without one becomes a 500 with a log
     * line, likewise. reeve_defer() and reeve_again() are refused here.
     *
     * Runs in the threads of handle(), one call at a time for a request; reeve_keep() keeps what it
     * is to find again. Between two calls of a blocking handler no thread waits, and during one
     * nothing is read from the client; if the pool has no room for one, the client is answered with
     * 503. */
    int (*receive)(reeve_request *request, void *config, const void *data, size_t length);
} reeve_handler;

/* Grows at the end only, by minor version. */
struct reeve_http_api {
    const char *(*method)(const reeve_request *);
    const char *(*target)(const reeve_request *);
    const char *(*path)(const reeve_request *);
    const char *(*rest)(const reeve_request *);
    const char *(*query)(const reeve_request *);
    const char *(*header)(const reeve_request *, const char *name);
    const char *(*body)(const reeve_request *, size_t *length);
    const char *(*peer)(const reeve_request *);
    int (*set_header)(reeve_request *, const char *name, const char *value);
    int (*reply)(reeve_request *, int status, const char *type, const void *body, size_t length);
    int (*reply_file)(reeve_request *, int status, const char *type, int fd, off_t offset,
                      size_t length);
    int (*reply_status)(reeve_request *, int status);
    /* since 1.1 */
    int (*reply_stream)(reeve_request *, int status, const char *type, uint64_t length,
                        int (*more)(reeve_request *, void *arg), void (*over)(void *arg),
                        void *arg);
    int (*write)(reeve_request *, const void *data, size_t length);
    int (*defer)(reeve_request *);
    bool (*is_wanted)(const reeve_request *);
    void (*finish)(reeve_request *);
    void *(*alloc)(reeve_request *, size_t size);
    const char *(*query_value)(reeve_request *, const char *name);
    const char *(*form_value)(reeve_request *, const char *name);
    /* since 1.2 */
    int (*again)(reeve_request *);
    bool (*may_wait)(const reeve_request *);
    const char *(*user)(const reeve_request *);
    const char *(*id)(reeve_request *);
    int (*interim)(reeve_request *, int status);
    int (*set_trailer)(reeve_request *, const char *name, const char *value);
    int (*keep)(reeve_request *, void *pointer, void (*over)(void *pointer));
    void *(*kept)(const reeve_request *);
    bool (*is_conditional)(const reeve_request *);
    reeve_prepared *(*prepare)(reeve_request *, int status, const char *type, const void *body,
                               size_t length);
    reeve_prepared *(*prepare_file)(reeve_request *, int status, const char *type, int fd,
                                    off_t offset, size_t length);
    int (*reply_prepared)(reeve_request *, reeve_prepared *);
    void (*prepared_free)(reeve_prepared *);
};

struct reeve_prepared {
    const struct reeve_http_api *api; /* all that is public of it */
};

struct reeve_request {
    const struct reeve_http_api *api; /* all that is public of a request */
};

/* What was asked. The texts end with NUL, belong to the request and live until it is answered:
 * until handle() returns, or a stream's over() was called, or reeve_finish(). A request is for one
 * thread at a time: the one that handle() or more() was called in, or, after reeve_defer(), one of
 * the handler's choice. */

/* "GET", "HEAD", ... as sent; methods are case-sensitive (RFC 9110, 9.1). */
static inline const char *reeve_method(const reeve_request *r) { return r->api->method(r); }
/* The request target as sent, still encoded: "/a%20b?x=1". */
static inline const char *reeve_target(const reeve_request *r) { return r->api->target(r); }
/* The path decoded, with "." and ".." resolved and repeated slashes joined; begins with "/"; holds
 * no NUL. */
static inline const char *reeve_path(const reeve_request *r) { return r->api->path(r); }
/* What of the path follows the route's prefix; begins with "/". */
static inline const char *reeve_rest(const reeve_request *r) { return r->api->rest(r); }
/* What follows "?" in the target, still encoded; "" if nothing. */
static inline const char *reeve_query(const reeve_request *r) { return r->api->query(r); }
/* The field of that name, in any case; NULL if none. Several lines of one name are one list (RFC
 * 9110, 5.3): their values in order with ", " between them, of Cookie with "; ", put together in
 * the request's memory; NULL if that is short. So a field that may stand there once only, such as
 * Range, is malformed if it comes twice; Host and Content-Length never do. */
static inline const char *reeve_header(const reeve_request *r, const char *name)
{
    return r->api->header(r, name);
}
/* Does a field ask for the answer on a condition, or for a part of it (If-Match, If-None-Match,
 * If-Modified-Since, If-Unmodified-Since, Range; RFC 9110, 13 and 14)? If not, a GET of the same
 * thing may be answered as the last one was. */
static inline bool reeve_is_conditional(const reeve_request *r)
{
    return r->api->is_conditional(r);
}
/* The whole body; never NULL, *length may be 0. It is at most the configured body_limit. Empty if
 * the handler has receive(). */
static inline const char *reeve_body(const reeve_request *r, size_t *length)
{
    return r->api->body(r, length);
}
/* The first value of that name (any bytes but NUL, case matters) in the query, or in a body of type
 * application/x-www-form-urlencoded, decoded ("+" is a space, "%41" an A; an escape that is none
 * stays as it is). NULL: there is none, or memory is short. By WHATWG URL, 5.1. */
static inline const char *reeve_query_value(reeve_request *r, const char *name)
{
    return r->api->query_value(r, name);
}
static inline const char *reeve_form_value(reeve_request *r, const char *name)
{
    return r->api->form_value(r, name);
}
/* Memory for any type, not zeroed, that needs no free: it lives as long as the request's texts.
 * NULL: memory is short. */
static inline void *reeve_alloc(reeve_request *r, size_t size) { return r->api->alloc(r, size); }
/* Keeps one pointer for the request, for receive(), handle() and more(). `over`, which may be NULL,
 * is called with it exactly once when the request is over, whatever its end: its answer is all
 * queued for sending, or the connection has ended, also in the middle of a body. That is in the
 * loop's thread, where it must not take long; what reeve_alloc() gave is still there. 0, or -1: one
 * is kept already, and `over` is not called. */
static inline int reeve_keep(reeve_request *r, void *pointer, void (*over)(void *pointer))
{
    return r->api->keep(r, pointer, over);
}
/* The pointer that reeve_keep() was given; NULL: none. */
static inline void *reeve_kept(const reeve_request *r) { return r->api->kept(r); }
/* The client's address as text, without port, as reeve_peer(). */
static inline const char *reeve_request_peer(const reeve_request *r) { return r->api->peer(r); }
/* Who has proven by a password to be so; NULL: the route asks for none. */
static inline const char *reeve_request_user(const reeve_request *r) { return r->api->user(r); }
/* The name by which logs know this request: at most 128 characters, the one that the client or a
 * proxy gave it, or a new one, see the option request_id. */
static inline const char *reeve_request_id(reeve_request *r) { return r->api->id(r); }

/* The answer. Content-Length, Date, Connection, Server and the absence of a body (for HEAD, 204,
 * 205 and 304) are the core's business. `status` is a final one of RFC 9110 or 6585. All return 0,
 * or -1 if memory is short, an argument is refused, or a reply was already given or put off to a
 * second call by reeve_again(). The first reply counts, whatever follows. */

/* Adds a field; before the reply. Name and value are copied. Refused: a name that is no token or is
 * the core's (Content-Length, Transfer-Encoding, Connection, Keep-Alive, Date, Server, the one that
 * the option request_id names), a value with a control character. */
static inline int reeve_set_header(reeve_request *r, const char *name, const char *value)
{
    return r->api->set_header(r, name, value);
}
/* Adds a field that follows the content (RFC 9110, 6.5): the time that it took, or its digest. Name
 * and value are copied. Before the reply, or for a stream until the last call of `more` returns.
 * Only an answer that is sent chunked has a place for it, see reeve_reply_stream(); else it is
 * dropped without a word, and many clients drop it too. reeve_set_header(r, "Trailer", name) tells
 * beforehand which will come. Refused as by reeve_set_header(), and names that frame, route,
 * authenticate or describe the content or the answer (6.5.1). 0, or -1 if it is refused, comes too
 * late or memory is short. */
static inline int reeve_set_trailer(reeve_request *r, const char *name, const char *value)
{
    return r->api->set_trailer(r, name, value);
}
/* Sends an interim answer ahead of the one that will follow (RFC 9110, 15.2): 100 to 199 but 101,
 * such as 103 with a field Link for what a page will need (RFC 8297). It takes the fields that were
 * set so far, which are forgotten then. It leaves when handle() returns; so say it, and return
 * reeve_again() or reeve_defer() for the slow part. To a client that speaks HTTP/1.0 nothing is
 * sent. 0, or -1 if the status is another, memory is short, a reply was given, this is receive(),
 * or this is not the loop's thread: a blocking handler's call, the second one after reeve_again(),
 * and after reeve_defer(). */
static inline int reeve_interim(reeve_request *r, int status) { return r->api->interim(r, status); }
/* Answers with `length` bytes, copied. `type` is the Content-Type, at most 127 bytes, or NULL. */
static inline int reeve_reply(reeve_request *r, int status, const char *type, const void *body,
                              size_t length)
{
    return r->api->reply(r, status, type, body, length);
}
/* Answers with `length` bytes of a file from `offset`; `fd` is taken over and closed by the core,
 * also on failure. A file that turns out shorter ends the connection. */
static inline int reeve_reply_file(reeve_request *r, int status, const char *type, int fd,
                                   off_t offset, size_t length)
{
    return r->api->reply_file(r, status, type, fd, offset, length);
}
/* Answers with the standard page of that status, text/html. */
static inline int reeve_reply_status(reeve_request *r, int status)
{
    return r->api->reply_status(r, status);
}

/* An answer made once and given often: each time costs little more than the copying. Made of the
 * header fields that were set, which are forgotten then, and a body, copied; or of a part of a
 * file, which is taken over and closed with it, but not on failure. It belongs to the caller, who
 * may give it to any later request too, in any thread, several at once, until
 * reeve_prepared_free(), which may come while one is still being sent. Fields set before
 * reeve_reply_prepared() are forgotten. NULL: as -1 of a reply. */
static inline reeve_prepared *reeve_prepare(reeve_request *r, int status, const char *type,
                                            const void *body, size_t length)
{
    return r->api->prepare(r, status, type, body, length);
}
static inline reeve_prepared *reeve_prepare_file(reeve_request *r, int status, const char *type,
                                                 int fd, off_t offset, size_t length)
{
    return r->api->prepare_file(r, status, type, fd, offset, length);
}
static inline int reeve_reply_prepared(reeve_request *r, reeve_prepared *prepared)
{
    return r->api->reply_prepared(r, prepared);
}
static inline void reeve_prepared_free(reeve_prepared *prepared)
{
    prepared->api->prepared_free(prepared);
}

/* An answer in pieces, of any length, in bounded memory. `more` is called again and again, after
 * handle() has returned and whenever the client has taken what there was: in the loop, where it
 * must return within microseconds, or for a blocking handler in some pool thread; so a slow client
 * holds no thread. It says some bytes by reeve_write(), best 16 to 64 KiB, and returns 1; or
 * returns 0 with or without a last piece: that was all; or -1: the connection is closed, so that
 * the client sees that something is missing, and a log line says where.
 * `length` is that of all pieces, or REEVE_UNKNOWN_LENGTH: then they are sent chunked, or to a
 * client that speaks HTTP/1.0 until the connection is closed. A promised length must be kept; else
 * as -1. Where no body is due (HEAD, 204, 205, 304) `more` is not called. `over`, which may be
 * NULL, is called once when the request is over, whatever its end, in the loop's thread; never if
 * this returns -1. */
#define REEVE_UNKNOWN_LENGTH UINT64_MAX
static inline int reeve_reply_stream(reeve_request *r, int status, const char *type,
                                     uint64_t length, int (*more)(reeve_request *, void *arg),
                                     void (*over)(void *arg), void *arg)
{
    return r->api->reply_stream(r, status, type, length, more, over, arg);
}
/* In `more`: the next bytes, copied; at most 1 MiB in one call of it. 0, or -1: memory is short, or
 * more than the promised length. */
static inline int reeve_write(reeve_request *r, const void *data, size_t length)
{
    return r->api->write(r, data, length);
}

/* An answer later: handle() returns 0 without a reply, no thread waits, and whoever has the answer,
 * in whatever thread, gives it by one reeve_reply*() call and reeve_finish(), exactly once, also
 * when the client has gone meanwhile. From this call on the request belongs to whoever finishes it,
 * and handle() may not use it any more; it returns 0. 0, or -1 if a reply was given already, this
 * call has asked to be asked again, or memory is short. */
static inline int reeve_defer(reeve_request *r) { return r->api->defer(r); }
/* The request is done with: without a reply it becomes a 500. It is gone when this returns. Only
 * after reeve_defer(); else it is a line in the log. */
static inline void reeve_finish(reeve_request *r) { r->api->finish(r); }
/* May this call wait or compute for long? True in a pool thread, and where the model has no pool on
 * a blocking handler's call or the second one after reeve_again(). */
static inline bool reeve_may_wait(const reeve_request *r) { return r->api->may_wait(r); }
/* This request turns out to take long (a file that must come from the disk): handle() returns what
 * this returns, and is called once more for the same request, in a pool thread, where it may wait;
 * so is `more` of a stream that it then begins. Header fields that were set are forgotten, memory
 * stays; until handle() returns nothing more can be said. If the pool has no room, the client is
 * answered with 503. 0, or -1 if a reply was given or this call may wait already. */
static inline int reeve_again(reeve_request *r) { return r->api->again(r); }
/* False: the client has gone, nobody waits for the answer. In receive(), handle() and more() of a
 * blocking handler, and after reeve_defer(); true in any other place. */
static inline bool reeve_is_wanted(const reeve_request *r) { return r->api->is_wanted(r); }

#ifdef __cplusplus
}
#endif
#endif
