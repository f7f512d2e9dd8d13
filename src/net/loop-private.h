/* The inside of a loop, for the files of src/net only.
 *
 * Thread: all fields are the loop thread's own, except the last block, which anybody may write by
 * atomic operations (and `gate_node`, guarded by the gate, and what inline.c says). Memory: the
 * loop owns all it points to. */
#ifndef NET_LOOP_PRIVATE_H
#define NET_LOOP_PRIVATE_H
#include <pthread.h>

#include "base/list.h"
#include "net/conn.h"
#include "net/farewell.h"
#include "net/hand.h"
#include "net/loop.h"

#define SCRATCH 65536 /* bytes read at once, at most */

/* A listener as one loop sees it. */
struct loop_listener {
    struct wait_source source;
    struct wait_source passage;
    struct listener *listener;
    struct list shelf; /* spare connections of its protocol's size */
    unsigned shelf_count;
    unsigned emptied; /* connections taken while draining */
    bool shut;        /* its passage takes nothing more */
    bool deaf;        /* it does not listen any more, and is not watched */
};

enum loop_phase { LOOP_NEW, LOOP_SERVING, LOOP_DRAINING, LOOP_STOPPING };

/* Why a loop takes connections, or does not. */
enum accept_state {
    ACCEPT_OFF,      /* not yet told to serve, or resting */
    ACCEPT_POLLING,  /* the listeners are watched */
    ACCEPT_FULL,     /* it holds as many connections as it may */
    ACCEPT_QUEUED,   /* another one-connection loop of the process watches them */
    ACCEPT_UNFAIR,   /* this worker has more than its share */
    ACCEPT_STARVED,  /* no descriptor or memory */
    ACCEPT_EMPTYING, /* drains: only the backlog of removed listeners */
    ACCEPT_DONE,     /* never again */
};

struct loop_accept {
    enum accept_state state;
    int64_t look_at;  /* when to look again, 0: not by time */
    int64_t delay;    /* between looks */
    int64_t starved;  /* ms: the last of the ever longer pauses for want of something; 0: none */
    unsigned looks;   /* timed ones at the shares since it had its own last */
    size_t turn;      /* the listener that is watched first next time */
    unsigned alone;   /* how often since then it polled beyond it, since no other worker did */
    bool complained;  /* ACCEPT_PAUSED was logged and not yet taken back */
    _Atomic int64_t complained_at; /* ms, the last time; 0: never */
    bool conn_closed; /* since the last move; a launched one counts */
};

/* Giving idle connections to other workers while it drains. */
struct loop_moves {
    int64_t at;          /* when to try again, and to look after what was given; 0: no need */
    int64_t stuck_since; /* nothing could be given since then; 0: it goes well */
    int64_t alone_since; /* nobody has room for what was given; 0: somebody has */
    bool given;          /* what was given may still stand in a passage */
};

/* How well it went to look again before sleeping. */
struct loop_yield {
    unsigned in_a_row; /* turns without a wait in earnest */
    unsigned misses;   /* in vain since the last hit */
    unsigned skipped;
};

struct loop {
    struct engine *engine;
    struct loop_settings settings;
    const struct wait_ops *ops;
    struct wait *wait;
    struct wait_source wake;
    struct loop_listener *listeners;
    enum loop_phase phase;
    struct loop_accept accept;
    struct list conns; /* all that are not dead, zombies included */
    struct list dead;
    struct list ready;
    bool unfinished; /* the end of the last turn left something for the next: no sleep before */
    unsigned held; /* connections with a descriptor, not counting launched ones */
    _Atomic uint32_t *seat_held; /* of its only connection, see struct place; or NULL */
    struct wait_source guest;
    struct out_pool pool;
    struct list spare_jobs;
    unsigned spare_job_count;
    struct conn_label *spare_labels;
    unsigned spare_label_count;
    unsigned aheads; /* jobs in flight that read a file */
    struct loop_yield yield;
    struct accepted in_hand; /* accepted, but not served or launched yet; fd -1: none */
    struct loop_moves moves;
    struct farewell farewell; /* when idle connections hear of the drain */
    const struct reeve_conn *stepping; /* that runs, for hand.c; NULL: none */
    struct reeve_conn *shown; /* whose request the board record shows */
    const char *shown_protocol;
    char *scratch;

    struct list gate_node;
    pthread_mutex_t inside_lock; /* see inline.c, as for the next one */
    struct job *inside;          /* the job that runs in the loop's thread; NULL: none */
    _Alignas(64) _Atomic(struct job *) inbox;
    atomic_uint visitors; /* threads that put a job into the inbox at this moment */
    atomic_uint commands; /* a bit for each enum loop_command, LOOP_GATE and LOOP_ROOM */
    hand_place *_Atomic place; /* of its thread; NULL: it has none now, or shows it itself */
    atomic_bool asleep;
    atomic_bool stopped_accepting;
    atomic_uint launched;   /* threads or processes made by engine.launch, not ended */
    atomic_bool wants_room; /* wake it when one of them ends */

    struct wheel wheel; /* last: it is long */
};

/* Bits of `commands`, after which it looks again whether it may accept: */
#define LOOP_GATE 31u /* the gate is yours */
#define LOOP_ROOM 30u /* a launched one has ended, like a connection of its own */

/* The loop that the calling thread runs, NULL elsewhere. */
extern _Thread_local struct loop *loop_running;
static inline struct loop *loop_current(void)
{
    return loop_running;
}
/* The engine of this process, NULL before engine_init. */
struct engine *loop_engine(void);
/* Any thread: sets a bit of `commands` and wakes the loop if it sleeps. */
void loop_post(struct loop *loop, unsigned bit);
/* Any thread: wakes the loop if it sleeps; call after the news is in place. */
void loop_wake(struct loop *loop);
bool loop_has_room(const struct loop *loop);

/* loop-command.c */
void loop_begin_anew(struct loop *loop); /* to serve one more connection that it is given */
/* ... in each turn: */
void loop_obey(struct loop *loop);             /* takes the commands that have come */
void loop_drain_idle(struct loop *loop);       /* tells idle connections when their time is over */
bool loop_is_finished(const struct loop *loop); /* drained or stopped, and empty */

/* step.c */
void step_begin(struct reeve_conn *conn, const struct accepted *accepted); /* a fresh one */
void step_run(struct reeve_conn *conn);     /* goes on as far as it can without waiting */
void step_event(struct reeve_conn *conn, unsigned ready);
void step_timer(struct wheel_timer *timer);
void step_late(struct reeve_conn *conn);    /* calls the late hook */
void step_drain(struct reeve_conn *conn);   /* calls the drain hook, once */

/* flush.c */
/* Sends as much as the turn allows. False: the connection is no more. */
bool flush_run(struct reeve_conn *conn);
/* Until when a client that keeps output waiting has time, after it has taken `sent` bytes; before
 * that it had until `before`. */
int64_t flush_deadline(const struct engine *engine, int64_t before, int64_t now, size_t sent);
bool step_is_unasked(const struct reeve_conn *conn); /* nothing in hand but what is being sent */
bool step_is_idle(const struct reeve_conn *conn);

/* ready.c */
void ready_add(struct reeve_conn *conn); /* it goes on in a later turn, without waiting */
void ready_run(struct loop *loop);       /* a turn's share of them */

/* unsent.c */
void unsent_trust(struct reeve_conn *conn); /* this one takes what it gets: no bound any more */

/* accept.c */
void accept_serve(struct loop *loop);
void accept_rest(struct loop *loop);
void accept_drain(struct loop *loop);
void accept_stop(struct loop *loop);
void accept_event(struct loop *loop, struct loop_listener *from);
void accept_passage(struct loop *loop, struct loop_listener *from);
void accept_called(struct loop *loop); /* somebody waits, whatever the kernel said */
void accept_all(struct loop *loop);  /* from every listener that is watched, without an event */
void accept_never(struct loop *loop); /* it serves what it is given */
void accept_look(struct loop *loop); /* each turn: may it take connections now? */

void accept_taken(struct loop *loop); /* one more: it may be full now */
/* Does another worker that serves watch the listeners? One that takes connections over? */
bool accept_others_watch(const struct loop *loop, bool takes);

/* reserve.c */
void reserve_begin(struct engine *engine); /* harmless when it has begun */
/* Only when it is low: may a connection be taken all the same? If not, errno says why. Any `fd`. */
bool reserve_look(struct loop *loop, int fd);
void reserve_sink(struct loop *loop); /* it is low from now on */
/* Before a descriptor is taken for a connection, and with the one that was. */
static inline bool reserve_allows(struct loop *loop, int fd)
{
    const struct reserve *reserve = &loop->engine->reserve;
    return !atomic_load_explicit(&reserve->is_low, memory_order_relaxed) || reserve_look(loop, fd);
}
static inline void reserve_note(struct loop *loop, int fd)
{
    struct reserve *reserve = &loop->engine->reserve;
    if (fd + 1 >= atomic_load_explicit(&reserve->bound, memory_order_relaxed))
        reserve_sink(loop);
}

/* take.c */
enum taken {
    TAKE_DONE,    /* a connection, and room for more */
    TAKE_DRY,     /* the backlog is empty */
    TAKE_SKIPPED, /* that one was gone already, or refused */
    TAKE_STARVED, /* no descriptor, memory, thread or process, see errno */
};
enum taken take_one(struct loop *loop, struct loop_listener *from);
/* Serves it, or launches what will; on TAKE_STARVED it is in hand, or closed in a drain. */
enum taken take_accepted(struct loop *loop, struct loop_listener *from, struct accepted *accepted);
/* The same with the connection in hand. */
enum taken take_in_hand(struct loop *loop);

/* move.c: idle connections go from workers that drain to those that serve */
enum taken move_take(struct loop *loop, struct loop_listener *from); /* one from the passage */
/* It waits now: gives it away if it may, and then it is over here. */
void move_parked(struct reeve_conn *conn);
void move_begin(struct loop *loop); /* it drains from now on */
void move_look(struct loop *loop);         /* each turn: gives those that are idle, if it is time */
bool move_takes(const struct loop *loop);  /* connections from others? */
bool move_is_possible(const struct reeve_conn *conn); /* or are its answers the last? */

/* yield.c: true if its one connection had news after all: then the loop need not wait now */
bool yield_look(struct loop *loop);

/* limit.c */
/* Has its client room for it? If so it counts from now on; if not it has been closed. One that was
 * moved has. */
bool limit_admit(struct loop *loop, struct accepted *accepted);

/* gate.c: which of the one-connection loops of a process watches the listeners */
struct accept_gate *gate_new(void);
void gate_free(struct accept_gate **gate);
bool gate_enter(struct loop *loop); /* true: it is this loop's; else it will be told by LOOP_GATE */
void gate_leave(struct loop *loop); /* hands it on, or leaves the queue; harmless otherwise */

/* ahead.c: a file is read by a job before it is sent */
void ahead_begin(struct reeve_conn *conn);  /* after OUT_COLD */
void ahead_cancel(struct reeve_conn *conn); /* the connection is closed; harmless without a job */

/* job.c */
bool job_let_go(struct job *job); /* true: nobody holds it any more */
bool job_has_late(const struct reeve_conn *conn);
/* A new job of the connection, in the hand of one holder. `back`: what the inbox calls. */
void job_fill(struct job *job, struct reeve_conn *conn, void (*back)(struct job *job));
void job_cancel_all(struct reeve_conn *conn);
void job_doubt_all(struct reeve_conn *conn); /* the peer's end was told */
const struct job *job_running(void); /* that of the calling thread, or NULL */
void job_spares_free(struct loop *loop);

/* late.c: all that is left are closed connections whose jobs are late */
bool late_is_all(const struct loop *loop);
void late_let_go(struct job *late); /* its client is told, or its connection closed */

/* inline.c: in the loop's thread; true: it was late, and comes back by the inbox */
bool inline_run(struct job *job);

/* record.c: this loop on the board */
void record_share(struct loop *loop, uint32_t change); /* connections open in the worker */
void record_opened(struct loop *loop, bool moved);
void record_closed(struct loop *loop, bool moved);
void record_busy(struct reeve_conn *conn, const char *label, size_t length);
void record_over(struct reeve_conn *conn); /* busy no more; harmless otherwise */
void record_keep_label(struct reeve_conn *conn); /* a job of its needs it, or the loop leaves it */
void record_spares_free(struct loop *loop);
void record_idle(struct loop *loop);
void record_failed(struct loop *loop);
#endif
