/* The control socket: who gets in. */
#ifndef MASTER_DOOR_H
#define MASTER_DOOR_H
#include <stdbool.h>

struct buf;

/* Binds and watches the socket; whoever connects is handed to control_admit(). `group`: may connect
 * besides root and the owner; "" for none. False with a line in `error`. */
bool door_open(const char *path, const char *group, struct buf *error);
/* Closes it and removes its path. Harmless when it is not open. */
void door_close(void);
#endif
