/* Where threads of the workers are: those that handlers have kept for too long, and all, when
 * asked. */
#ifndef MASTER_STACKS_H
#define MASTER_STACKS_H
#include <jansson.h>
#include <stdbool.h>

struct msg;
struct operation;
struct worker;

/* Asks the ready workers, or the one of that slot; -1: all. What they say becomes the data of the
 * operation. False: there is no such worker. */
bool stacks_ask(struct operation *operation, int slot);
/* A worker has sent MSG_STACK. */
void stacks_hear(const struct worker *worker, const struct msg *msg);
/* The slow log, oldest first; a new reference. */
json_t *stacks_slow(void);
unsigned stacks_forget(void); /* how many there were */
/* For a program that takes over. */
json_t *stacks_slow_put(void);
void stacks_slow_restore(const json_t *object);
#endif
