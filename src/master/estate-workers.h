/* Listeners, generations, slots and workers in the state of the master; see estate.h. */
#ifndef MASTER_ESTATE_WORKERS_H
#define MASTER_ESTATE_WORKERS_H
#include <stdbool.h>

#include <jansson.h>

struct buf;

json_t *listeners_put(void);
json_t *generations_put(void);
/* From the lists of the whole state. False after a line. */
bool listeners_take(const json_t *state, struct buf *error);
bool generations_take(const json_t *state, struct buf *error);
/* Whether the workers that are taken write on the board in a way that we can read. */
void workers_see_board(bool yes);
#endif
