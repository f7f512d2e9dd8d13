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
    size_t answer;              /* bytes of `out` that end with its latest answer */
    bool ended;                 /* it asks nothing more, but may still read */
    uint32_t operation;         /* that it waits for, 0: none */
    struct timer patience;      /* for how long */
    bool follows;               /* wants every event */
    bool follows_slow;          /* wants every new entry of the slow log */
};

/* False: it has failed. */
bool client_read(struct client *client);
/* Is there a whole line that may be carried out now? */
bool client_has_request(const struct client *client);
/* One JSON object as a line. Takes `object` over. Does not send yet. */
void client_put(struct client *client, json_t *object);
/* The answer to its request, of whatever length: the next request is carried out when most of it was
 * sent. */
void client_put_answer(struct client *client, json_t *object);
/* JSON texts must be UTF-8: in one that is not, each byte beyond ASCII becomes a "?". */
json_t *client_text(const char *text);
/* Sends what it can and says what is waited for next. False: the client is gone, or has all that it
 * wanted. */
bool client_flush(struct client *client);
/* Sends, and if the client is gone leaves the rest to the reactor's next word on it: the caller may
 * be in the middle of serving this very client. */
void client_flush_or_doom(struct client *client);
#endif
