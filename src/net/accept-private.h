/* What accept.c, accept-burst.c and accept-drain.c share. Loop's thread. */
#ifndef NET_ACCEPT_PRIVATE_H
#define NET_ACCEPT_PRIVATE_H
#include "net/loop-private.h"

#define ACCEPT_UNFAIR_FIRST 2 /* ms until the shares are compared again */

/* How one is taken: from a listener, or from its passage. */
typedef enum taken take_f(struct loop *loop, struct loop_listener *from);

/* accept.c */
/* The only place where the state changes. Delay: ms until it looks again, 0: not by time. */
void accept_move(struct loop *loop, enum accept_state state, int64_t delay);
void accept_unwatch(struct loop *loop);
bool accept_is_gated(const struct loop *loop);
bool accept_has_share(const struct loop *loop);

/* accept-burst.c */
/* The backlog could be emptied, or all places be filled: only now, so that one descriptor more or
 * less does not fill the log. */
void accept_recovered(struct loop *loop, const struct listener *from);
/* errno says for want of what; it goes on in that state, by time. */
void accept_starve(struct loop *loop, const struct listener *from, enum accept_state state);
void accept_starve_longer(struct loop *loop); /* its time was over, and it tries again */

/* accept-drain.c */
void accept_empty(struct loop *loop); /* takes what nobody else will, and is done */
void accept_done(struct loop *loop);
#endif
