/* Answering a request from the folder of its route. */
#ifndef STATIC_SERVE_H
#define STATIC_SERVE_H
#include "folder.h"
#include "reeve/http.h"

/* As reeve_handler's handle(). Loop or pool thread. */
int serve_request(reeve_request *request, const struct folder *folder);
/* Whether a name in this path, which begins with "/", begins with a dot; those are not for the web,
 * except the registry of RFC 8615. */
bool serve_is_hidden(const char *path);
#endif
