/* The control socket: who gets in. */
#ifndef MASTER_DOOR_H
#define MASTER_DOOR_H
#include <stdbool.h>

#include <jansson.h>

#include "share/control.h"

struct buf;
struct core;

/* A client has come in, who may do that; `fd` is taken over. */
typedef void door_admit(int fd, enum control_access access);
/* Binds and watches the socket that is configured; whoever connects is handed to `let_in`. False
 * with a line in `error`. */
bool door_open(const struct core *core, door_admit *let_in, struct buf *error);
/* The socket, for another image of this process (estate.h). False after a line. */
json_t *door_put(void);
bool door_take(const json_t *object, door_admit *let_in, struct buf *error);
/* Closes it and removes its path. Harmless when it is not open. */
void door_close(void);
#endif
