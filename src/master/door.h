/* The control socket: who gets in. */
#ifndef MASTER_DOOR_H
#define MASTER_DOOR_H
#include <stdbool.h>

#include <jansson.h>

struct buf;
struct core;

/* Binds and watches the socket that is configured; whoever connects is handed to control_admit().
 * False with a line in `error`. */
bool door_open(const struct core *core, struct buf *error);
/* Closes it and removes its path. Harmless when it is not open. */
/* The socket, for another image of this process (estate.h). False after a line. */
json_t *door_put(void);
bool door_take(const json_t *object, struct buf *error);
void door_close(void);
#endif
