/* The past: the configurations of the last generations that served, kept in memory to go back
 * to. */
#ifndef MASTER_PAST_H
#define MASTER_PAST_H
#include <stdint.h>

#include <jansson.h>

struct buf;
struct generation;
struct snapshot;

#define PAST_KEPT 8

/* This generation serves; its configuration is kept from now on, the oldest forgotten. Where the
 * newest is the same, that goes under this number now. */
void past_note(const struct generation *generation);
/* It was gone back from: who asks for the last good one does not mean it. */
void past_blame(uint32_t number);
/* The configuration of that generation (0: of the last good one but the serving one's), to be freed
 * by the caller, and the number found. NULL with a line in `error`. */
struct snapshot *past_find(uint32_t *number, struct buf *error);
/* For `generations`, oldest first. */
json_t *past_json(void);
/* For a program that takes over: all of it, and what is no such thing is passed over. */
json_t *past_put(void);
void past_restore(const json_t *list);
void past_free(void);
#endif
