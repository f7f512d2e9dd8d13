/* A client of the control socket: what it says, and what it is sent. */
#ifndef MASTER_CLIENT_H
#define MASTER_CLIENT_H
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/list.h"
#include "master/reactor.h"
#include "share/control.h"

struct client {
    struct list node;
    struct watch watch;
    enum control_access access; /* what its credentials allow */
    struct buf in, out;
    uint32_t operation;         /* that it waits for, 0: none */
    struct timer patience;      /* for how long */
    bool follows;               /* wants every event */
};

/* False: there is no more to come. */
bool client_read(struct client *client);
/* Is there a whole line that may be carried out now? */
bool client_has_request(const struct client *client);
/* One JSON object as a line. Takes `object` over. Does not send yet. */
void client_put(struct client *client, json_t *object);
/* JSON texts must be UTF-8: in one that is not, each byte beyond ASCII becomes a "?". */
json_t *client_text(const char *text);
/* Sends what it can and says what is waited for next. False: the client is gone. */
bool client_flush(struct client *client);
/* Sends, and if the client is gone leaves the rest to the reactor's next word on it: the caller may
 * be in the middle of serving this very client. */
void client_flush_or_doom(struct client *client);
#endif
