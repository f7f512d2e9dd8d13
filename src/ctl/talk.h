/* One request and its answer. */
#ifndef CTL_TALK_H
#define CTL_TALK_H
#include <jansson.h>

#include "ctl/client.h"
#include "ctl/request.h"

/* Called with each {"type":"event"} object. */
typedef void talk_event_f(const json_t *event, void *arg);

/* Sends the request and waits for its result. Returns reevectl's exit status. *result: the whole
 * result object (the caller's), or NULL if none came; then `error` has a line, unless the server
 * was to close the connection and did. */
int talk(struct client *client, const struct request *request, talk_event_f *on_event, void *arg,
         json_t **result, struct buf *error);

/* Fields of JSON objects, with something harmless where there is none or it has another type. */
const char *json_text(const json_t *object, const char *key); /* "" */
int64_t json_int(const json_t *object, const char *key);      /* 0; reals are cut */
double json_number(const json_t *object, const char *key);    /* 0 */
#endif
