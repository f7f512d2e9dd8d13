/* What the parts of the load generator share: the plan (from the command line), the users, and what
 * was counted. One process, one thread: nothing here is locked. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "histogram.h"

/* What may go wrong with a request. X(symbol, name) */
#define FAILURES(X)                                                                                \
    X(FAIL_REFUSED, "refused") /* the connection was refused */                                    \
    X(FAIL_RESET, "reset")     /* reset, or closed before the first byte of the answer */          \
    X(FAIL_TIMEOUT, "timeout") /* not complete in time */                                          \
    X(FAIL_BAD, "bad")         /* another status, no Content-Length, or bytes beyond it */         \
    X(FAIL_SHORT, "short")     /* closed within the answer */                                      \
    X(FAIL_LOCAL, "local")     /* no port or descriptor on this side */

enum failure {
#define X(symbol, name) symbol,
    FAILURES(X)
#undef X
    FAILURE_KINDS
};

struct plan {
    struct sockaddr_in server;
    const char *path, *also;   /* `also` is asked for in `share` of all requests; NULL: never */
    double share;
    uint32_t users, sources;   /* source addresses 127.0.0.2 and on; 0: the kernel chooses */
    bool keep;                 /* connections are kept; else one for each request */
    bool shed;                 /* 503 is an answer, counted by itself; else it is FAIL_BAD */
    double rate;               /* requests per second in an open loop; 0: closed loop */
    double warm, seconds, timeout;
};

/* Of plan.path, and of plan.also. Requests of the measured time are those that were due in it. */
struct path_tally {
    uint64_t in_window;        /* of status 200 and complete within the measured time */
    uint64_t due;              /* in the measured time, and sent */
    uint64_t failed;           /* of all requests, of any kind of failure */
    uint64_t shed, bare;       /* of the measured time: 503, and of these without Retry-After */
    struct histogram warm;     /* microseconds: status 200, of the warm-up */
    struct histogram served;   /* the same, of the measured time */
    struct histogram refused;  /* 503, of the measured time */
};

struct tally {
    uint64_t completed;        /* all of them, warm-up and drain included */
    uint64_t in_window;        /* completed within the measured time */
    uint64_t failed[FAILURE_KINDS];
    uint64_t reopened;         /* kept connections that the server closed between two requests */
    uint64_t unsent;           /* open loop: due, but no connection was free to the very end */
    uint64_t late;             /* open loop: sent more than LATE_US after they were due */
    uint64_t latest;           /* us: how late the latest of the measured time was */
    struct histogram latency;  /* microseconds, of requests that began within the measured time */
    struct path_tally path[2];
};

enum user_state {
    USER_IDLE,       /* nothing is asked; the connection is open (kept) or there is none */
    USER_CONNECTING,
    USER_READING,    /* the request is sent */
    USER_CLOSING,    /* all of the answer is here, the end of the connection is not */
    USER_PAUSED      /* failed, waits a moment before the next try */
};

#define HEAD_MAX 2048 /* bytes of an answer's head */
#define LATE_US 1000

struct user {
    struct list node;          /* in the list that its state belongs to */
    enum user_state state;
    int fd;                    /* -1: none */
    bool served;               /* has ever had an answer */
    bool second;               /* asks for plan.also */
    bool shed, bare;           /* it is a 503; without Retry-After */
    uint32_t number;
    int64_t began, started;    /* us: when it was due, and when it was tried */
    uint32_t head_size;
    uint64_t left;             /* bytes of the body that are still to come */
    bool in_body;
    bool last;                 /* the server closes behind this answer */
    char head[HEAD_MAX];
};

struct load {
    struct plan plan;
    struct tally tally;
    struct user *users;
    struct list idle, busy, paused; /* who waited longest comes first */
    int epoll;
    int64_t warm_until, until; /* us */
};

extern struct load load;

int64_t now_us(void);

/* ---- user.c */
void user_setup(void);                            /* makes the requests and the users */
void user_begin(struct user *user, int64_t due);  /* asks once; `due` counts as the start */
void user_event(struct user *user, uint32_t events);
void user_fail(struct user *user, enum failure failure);

/* ---- tally.c */
void tally_sent(const struct user *user);             /* or tried; after user.started is set */
void tally_answer(const struct user *user, int64_t now);
void tally_failure(const struct user *user, enum failure failure);
void tally_print(void);

/* ---- load.c */
void load_next(struct user *user); /* the user has its answer and is idle */
#endif
