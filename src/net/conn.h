/* A connection: descriptor, input, output queue, deadline, and the protocol's state behind it.
 *
 * Thread: one loop thread from conn_new to its end, asserted in every entry from a module. Memory:
 * one block, from the loop's shelf of the listener; input that a step left unconsumed has a buffer
 * of its own, an idle connection has none.
 * What must hold: in every state but CONN_ZOMBIE and CONN_DEAD the descriptor is open; the memory
 * goes back to the shelf only at the end of a turn, so that an event of the same turn may still
 * look at the state. */
#ifndef NET_CONN_H
#define NET_CONN_H
#include <stddef.h>
#include <sys/socket.h>

#include "base/log.h"
#include "net/loop.h"
#include "net/out.h"
#include "net/wait.h"
#include "net/wheel.h"

enum conn_state {
    CONN_OPEN,      /* the protocol runs */
    CONN_FLUSHING,  /* the protocol is through; the rest of the output goes out */
    CONN_LINGERING, /* all is sent and said; what the peer still sends is thrown away */
    CONN_ZOMBIE,    /* closed; jobs are still in flight */
    CONN_DEAD,      /* over; the memory waits for the end of the turn */
    CONN_STATES
};

struct ahead;
struct loop_listener;

/* What a connection is busy with, for the board. An idle one has none. */
struct conn_label {
    struct conn_label *next; /* among the loop's spare ones */
    char text[BOARD_LABEL]; /* ends with NUL */
};

struct reeve_conn {
    /* What a request that is answered at once does not touch: so many connections fit into the
     * processor's cache the better. */
    struct list node;    /* of the loop: conns, or dead */
    struct ahead *ahead; /* the job that reads a file for it, none of `jobs`; NULL: none */
    size_t unsent;       /* what was in `out` when the connection ended */
    int64_t warm_until;  /* what of a file was in memory is taken to be there still */
    int64_t blocked_at;  /* when its socket was full last, 0: never */
    int64_t ahead_at;    /* when to hand a file to the pool again, while `ahead` is NULL */
    char peer[48];

    struct list ready; /* of the loop: to be run without waiting */
    struct list jobs;  /* struct reeve_job */
    struct loop *loop;
    const struct reeve_protocol *protocol;
    struct loop_listener *from;
    struct wait_source source;
    struct wheel_timer timer;
    uint32_t discarded; /* bytes, while lingering */
    enum conn_state state : 8;
    enum reeve_verdict verdict : 8; /* what the protocol waits for, in CONN_OPEN */

    bool due;       /* a step is due without new input */
    bool readable;  /* recv may give something */
    bool writable;  /* send may take something */
    bool hangup;    /* the peer's end was told: a short read does not mean that all is read */
    bool at_end;    /* and it has been read */
    bool gone;      /* the peer can take nothing any more; its protocol knows it and will close */
    bool congested; /* output went above the high-water mark and not yet down to the low one */
    bool held_back; /* output was left in the queue: the protocol's deadline stands still */
    bool trusted;   /* it has taken quickly what it got, see unsent.c */
    bool slow;      /* what its client has taken since did not give back all of its time */
    bool busy;      /* between reeve_busy and reeve_idle */
    bool drained;   /* the drain hook has been called */
    bool moved;     /* given to another worker */
    bool passing;   /* came from another worker when this one drained already */
    bool stays;     /* it cannot be given as it is now */
    bool no_more;   /* the peer has promised to send nothing, see reeve_no_more() */
    unsigned char asks_for; /* ticks that it may still ask one thing when its loop drains */
    bool lingers;   /* what the peer still sends is waited for, see reeve_linger() */

    tally_seat *seat;         /* see struct place; `held` of that is the loop's */
    struct conn_label *label; /* of one that is busy, once it is needed; or NULL */
    struct out out;
    const char *input;   /* in the loop's scratch buffer, or in `buffer` */
    size_t input_length;
    char *buffer;
    size_t buffer_size;

    int64_t deadline;      /* the protocol's, 0: none */
    int64_t deadline_span; /* as it was asked for */
    int64_t engine_deadline; /* of sending or lingering */
    int64_t cold_since;    /* nothing is sent until a file has been read; 0: not so */

    _Alignas(max_align_t) unsigned char protocol_state[];
};

/* A connection on the descriptor, which it then owns. NULL: memory is short, the descriptor stays
 * the caller's. */
struct reeve_conn *conn_new(struct loop *loop, struct loop_listener *from,
                            const struct accepted *accepted);
/* The only place where a state changes. */
void conn_move(struct reeve_conn *conn, enum conn_state state);
/* The one destructor: closes the descriptor, drops output and input, cancels jobs; ends the
 * connection now, or when its last job is back. Output that a job is reading is dropped then.
 * Harmless on a closed one. */
void conn_close(struct reeve_conn *conn);
/* Closes one that ends by other means than the protocol's wish, and says why in the log. */
void conn_fail(struct reeve_conn *conn, enum log_tag tag, const char *why);
/* A zombie's job is back: it ends with the last one. */
void conn_end_if_last(struct reeve_conn *conn);
/* End of turn: the memory of dead ones goes to the shelf, or is freed. */
void conn_bury(struct loop *loop);
void conn_shelf_free(struct loop_listener *from);

/* conn-input.c: more input into the scratch buffer, or behind what is buffered. True: there is news
 * (bytes, or the end). False: nothing now; *failed: errno of a broken connection, else 0. */
bool conn_fill(struct reeve_conn *conn, int *failed);
/* Gives the scratch buffer back: what is unconsumed moves to the connection's own. 0, or -1. */
int conn_keep_input(struct reeve_conn *conn);
/* Reads and drops while lingering. False: the end, or enough. */
bool conn_discard(struct reeve_conn *conn);
/* The most input a step may leave unconsumed and still ask for more. */
size_t conn_max_input(const struct reeve_conn *conn);
#endif
