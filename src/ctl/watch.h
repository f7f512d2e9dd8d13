/* status --watch. */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H
#include <stdbool.h>

#include "ctl/client.h"
#include "ctl/request.h"

/* Asks and draws once a second until q, Ctrl-C or the end of the server. Returns the exit status;
 * `error` has a line unless it was left by the user. */
int watch(struct client *client, const struct request *request, bool json, bool colours,
          struct buf *error);
#endif
