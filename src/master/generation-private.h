/* Between the files of generations; see generation.h. */
#ifndef MASTER_GENERATION_PRIVATE_H
#define MASTER_GENERATION_PRIVATE_H
#include "master/generation.h"

/* What the table in generation.c does on an event; the worker is the one it is of, or NULL. */
typedef void generation_action(struct generation *generation, struct worker *worker);

/* generation.c. For actions only: nothing else changes the state. */
void generation_move(struct generation *generation, enum generation_state to);
/* Without a process nobody's end will bury it. Later, since callers may still look at it. */
void generation_bury_if_empty(struct generation *generation);

/* generation-trial.c: the actions until it serves */
generation_action generation_probe;
generation_action generation_fill_or_take_over;
generation_action generation_give_up;
generation_action generation_give_up_late;
generation_action generation_give_up_stopped;
generation_action generation_give_up_ended;
#endif
