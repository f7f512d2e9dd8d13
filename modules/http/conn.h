/* A connection that speaks HTTP/1: the hooks of the protocol. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H
#include "request.h"

enum conn_state {
    CONN_IDLE,    /* between requests: no byte of the next one is there */
    CONN_HEAD,    /* a request has begun */
    CONN_BODY,    /* its head is complete, its body is not */
    CONN_ASK,     /* its handler is to be asked in the pool */
    CONN_JOB,     /* its password is being checked, a blocking handler has it, or whoever answers
                     later */
    CONN_PROVEN,  /* the password was checked */
    CONN_STREAM,  /* its answer is sent, piece by piece */
    CONN_SENDING, /* a large answer is queued; when most of it is sent, it is logged */
    CONN_CLOSING, /* the last answer is queued, or none will be */
    CONN_FAILED,  /* memory was short in the middle of an answer */
};

/* reeve_state(): zeroed is a fresh one. */
struct http_conn {
    enum conn_state state;
    reeve_verdict said;      /* what the last hook returned */
    struct request *request; /* in HEAD, BODY, ASK, JOB, PROVEN, STREAM and SENDING; and if it was
                                cut short */
    unsigned requests;       /* whose head has come */
    int64_t idle_until;      /* IDLE, once `timed`: reeve_now() of its end */
    bool timed;              /* IDLE, HEAD: the deadline is set */
    bool busy;               /* the board shows a request */
    bool begun;              /* the answer in hand is partly queued: a stream */
    bool late;               /* a handler took too long: its job has a request of its own */
};

/* conn-states.c: ends the process unless its table has that move. */
void conn_check_move(enum conn_state from, enum conn_state to);
/* The one place where the state changes; tests and builds with sanitizers check it. */
static inline void conn_become(struct http_conn *c, enum conn_state to)
{
#ifdef REEVE_CHECKS
    conn_check_move(c->state, to);
#endif
    c->state = to;
}

reeve_verdict conn_step(reeve_conn *conn);
reeve_verdict conn_expired(reeve_conn *conn);
reeve_verdict conn_drain(reeve_conn *conn);
void conn_close(reeve_conn *conn);
/* conn-move.c */
int conn_pack(reeve_conn *conn, void *parcel);
reeve_verdict conn_unpack(reeve_conn *conn, const void *parcel, size_t length);
reeve_verdict conn_late(reeve_conn *conn); /* conn-late.c */
/* A job that was late is back, or was begun for this: lets go of its request. True: it was late. */
bool conn_came_late(struct http_conn *c, struct request *request);

/* What returns an int returns a verdict, or GO_ON: look at the state again. */
#define GO_ON 0
/* The bytes that came are no request, or come too slowly: nothing behind them can be trusted. */
int conn_refuse(reeve_conn *conn, struct http_conn *c, int status, const char *why);

/* conn-body.c */
int conn_body_begin(reeve_conn *conn, struct http_conn *c); /* one is announced */
int conn_body(reeve_conn *conn, struct http_conn *c);       /* in the state BODY */

/* conn-answer.c */
/* Asks the handler, in the pool if it blocks; or gives the refusal. */
int conn_answer(reeve_conn *conn, struct http_conn *c);
int conn_answer_now(reeve_conn *conn, struct http_conn *c); /* in this thread */
int conn_ask(reeve_conn *conn, struct http_conn *c);        /* the handler, in the pool */
int conn_give(reeve_conn *conn, struct http_conn *c);       /* queues what was said elsewhere */
int conn_stream(reeve_conn *conn, struct http_conn *c);     /* the next piece */
int conn_sent(reeve_conn *conn, struct http_conn *c);       /* if it is: the next request */
void conn_refuse_busy(struct request *request);             /* the pool has no room */
/* The board shows a request, or none. */
void conn_show(reeve_conn *conn, struct http_conn *c, const char *label, size_t length);
void conn_unshow(reeve_conn *conn, struct http_conn *c);
/* In a handler that runs in the loop: its answer comes when this job ends. NULL: memory is
 * short. */
reeve_job *conn_put_off(reeve_conn *conn);
#endif
