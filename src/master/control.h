/* The control protocol, the master's side: clients, their requests and answers. */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "master/client.h"
#include "share/control.h"

struct core;
struct operation;

/* Opens the socket; its group, if one is configured, may read besides root and the owner. False
 * with a line in `error`. */
bool control_open(const struct core *core, struct buf *error);
/* Drops all clients, after a last try to send what they have coming, and removes the socket. */
void control_close(void);
/* Socket and clients, for another image of this process (estate.h). False after a line. */
json_t *control_put(void);
bool control_take(const json_t *object, struct buf *error);
/* The result line of a request. `data` is taken over and may be NULL. */
void control_reply(struct client *client, enum control_code code, uint32_t operation,
                   const char *text, json_t *data);
/* The client waits for that operation, for so many seconds or WAIT_EVER. */
#define WAIT_EVER (-1)
void control_join(struct client *client, struct operation *operation, int64_t seconds);
/* The client sees every event from now on. */
void control_follow(struct client *client);
/* The client sees every new entry of the slow log from now on. */
void control_follow_slow(struct client *client);
void control_slow(json_t *entry); /* there is one */
/* Who is given each request line, from the start of the master on; it may change the line. */
typedef void control_dispatcher(struct client *client, char *line);
void control_serve(control_dispatcher *dispatch);
#endif
