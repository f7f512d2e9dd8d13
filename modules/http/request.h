/* One HTTP request in hand, from its first byte until its answer is queued, or if that is large and
 * logged, until most of it is sent.
 *
 * Owner: the connection that it belongs to, in the loop's thread; while a blocking handler runs the
 * pool's thread has it alone. Idle connections have none: threads keep a few spare ones. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"
#include "chunk.h"
#include "parse.h"
#include "reeve/http.h"
#include "reeve/protocol.h"
#include "settings.h"

/* An answer in pieces: how far it is. */
enum stream_state {
    STREAM_NONE,   /* the answer is no stream, or has no body */
    STREAM_MORE,   /* to be asked for the next piece */
    STREAM_ASKED,  /* more() runs: it may write */
    STREAM_LAST,   /* it has no more */
    STREAM_FAILED,
};

struct stream {
    enum stream_state state;
    bool chunked;
    uint64_t length;  /* as promised, or REEVE_UNKNOWN_LENGTH */
    uint64_t written, asked_at; /* all; and before the piece in hand */
    int (*more)(struct reeve_request *public, void *arg);
    void (*over)(void *arg);
    void *arg;
};

struct prepared;

/* What is to be answered, as handler or core have said it. */
struct answer {
    /* All zero, up to `fd`, unless something was said. */
    bool given;
    bool begun;          /* its head is queued, and its body unless that is a stream */
    bool failed;         /* queueing it failed: the connection must end */
    int status;
    const char *body;    /* the caller's, valid while it is queued; or owned.data */
    size_t length;
    off_t offset;        /* in the file */
    struct prepared *prepared; /* not NULL: it is this one, held */
    struct stream stream; /* more != NULL: the body comes in pieces */

    int fd;              /* the body is a range of this file; -1: it is not */
    char type[128];      /* Content-Type, "" if none */
    struct bytes fields; /* further fields, each "Name: value\r\n" */
    struct bytes trailers; /* those that follow the last chunk */
    struct bytes owned;  /* a copy of the body, for an answer that is queued later */
};

/* The field Date, as it is written once a second. All zero: not yet. */
#define ANSWER_DATE (sizeof "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" - 1)
struct answer_date {
    int64_t second;
    char field[64];
};

/* Of a body: how far its bytes have been taken from the input. */
enum body_state { BODY_COMING, BODY_COMPLETE, BODY_MALFORMED };

struct memory_block;
struct request_joined;

/* What a loop's thread keeps from request to request. */
struct request_home {
    struct request *spare;      /* the first of some */
    unsigned spares;
    struct parse_seen host;
    struct answer_date date;
};

#define REQUEST_ID_MAX 128 /* characters */

struct request {
    struct reeve_request public; /* first: what a handler is given */
    struct request *next;        /* among the spare ones */
    struct request_home *home;   /* of the loop's thread: to find a thread's own takes a call */

    const char *peer;
    int64_t began;               /* microseconds of CLOCK_MONOTONIC, if settings.timed */
    const char *path, *query;

    /* All zero in a fresh one, up to `id`. */
    reeve_conn *conn;            /* not NULL: an answer is queued as soon as it is given */
    const struct site *site;     /* NULL: it did not come so far */
    const struct route *route;   /* NULL: none was found */
    const char *user;            /* who has proven to be so; NULL: nobody was asked */
    const char *why;             /* one sentence for the page of `refused`, or NULL */
    int refused;                 /* the status to answer without asking a handler; 0: ask it */
    bool close;                  /* the connection ends with this answer */
    bool interrupted;            /* for the log: the connection ended before all was queued */
    bool headless;               /* HEAD: the answer has no body */
    bool waits;                  /* the handler is asked in the pool, where it may wait */
    bool again;                  /* it was asked in the loop, and wants to be so */
    bool receiving;              /* the handler's receive() runs */
    bool chunked;
    enum body_state body_state;
    struct chunk chunk;
    uint64_t body_left;          /* of a body with a length */
    uint64_t body_taken;         /* bytes of it so far */
    int64_t body_due;            /* microseconds of reeve_now(): more of it must have come by then;
                                    while a piece is in the pool: how long there is left */
    size_t path_length;
    reeve_job *later;            /* not NULL: the answer was put off until this ends */
    struct request_joined *joined; /* in its memory, see asked.c */

    char id[REQUEST_ID_MAX + 1]; /* see ident_of(); "": not asked for yet */
    bool unproven;               /* the password is still to be checked, see auth.h */
    bool keeps;                  /* reeve_keep() was called: */
    void *kept;
    void (*kept_over)(void *kept); /* NULL: nobody wants to know */
    struct memory_block *memory; /* what reeve_alloc() has given */
    struct bytes credentials;    /* what auth.c knows of user and password */
    struct bytes head;           /* a copy of the head, NUL behind method, target and
                                    values; then the path, if it is none that stands there */
    struct bytes body;           /* all of it, or the piece that is in the pool */

    struct answer answer;
    struct parse parse;          /* its fields are the request's, and stay for the next one */
};

/* NULL: memory is short. */
struct request *request_new(reeve_conn *conn);
/* More room for fields of the head. False: memory is short. */
bool request_grow(struct request *request);
void request_free(struct request **request);
/* One that looks the same to who answers and logs, of a request that a thread has for itself: made
 * from what was so before that began. NULL: memory is short. Loop thread. */
struct request *request_twin(const struct request *request, reeve_conn *conn);
/* Its answer is queued: lets go of what nobody needs while it is sent. */
void request_lighten(struct request *request);
/* The spare ones of the calling thread. */
void request_thread_exit(void);

/* The head is complete: keeps a copy, finds path, site and route, and judges what can be judged
 * without the body. False: memory is short. */
bool request_accept(struct request *request, const char *head, size_t length);
/* Makes this the answer: the page of `status`. The first refusal counts. */
void request_refuse(struct request *request, int status, const char *why);

/* memory.c: until request_memory_free(). NULL: memory is short. */
void *request_alloc(struct request *request, size_t size);
/* Keeps one pointer until then, when `over` is told. -1: there is one already. */
int request_keep(struct request *request, void *pointer, void (*over)(void *pointer));
void request_memory_free(struct request *request);
static inline bool request_has_memory(const struct request *request)
{
    return request->keeps || request->memory != NULL;
}

/* handle.c: asks the handler, or gives the refusal; makes it a 500 if there is no answer then,
 * unless that was put off. */
void request_handle(struct request *request);
/* Gives the handler a piece of the body, or NULL before the first: a 500 if that fails. Pool or
 * loop thread; the answer, if there is one then, is still to be queued. */
void request_receive(struct request *request, const void *data, size_t length);
/* The same judgement of an answer that was put off. */
void request_judge(struct request *request, int result);
extern const struct reeve_http_api handle_api;
/* The calling thread runs code of this request's handler from now on; NULL: no more. */
void request_in_hand(const struct request *request);

/* `public` is the first of a request, and no request is constant. */
static inline struct request *request_of(const struct reeve_request *public)
{
    return (struct request *)(void *)public;
}

/* Is the method this one? After request_accept(). */
#define request_is(request, word)                                                                  \
    ((request)->parse.method.length == sizeof(word) - 1 &&                                         \
     memcmp((request)->head.data + (request)->parse.method.at, word, sizeof(word) - 1) == 0)

/* A text of the head, ended by NUL. After request_accept(). */
static inline char *request_text(const struct request *request, struct slice slice)
{
    return request->head.data + slice.at;
}
#endif
