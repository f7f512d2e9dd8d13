/* Answering a request from the folder of its route. */
#ifndef STATIC_SERVE_H
#define STATIC_SERVE_H
#include "folder.h"
#include "reeve/http.h"

/* As reeve_handler's handle(). Loop or pool thread. */
int serve_request(reeve_request *request, const struct folder *folder);
#endif
