/* http: the protocol module. Its parts:
 *
 *     parse, chars, fields, chunk,
 *     path, form                         what came from the client; pure functions
 *     settings, sites, routes            the configuration, and what a request finds in it
 *     guard, cidr                        who may ask, by address
 *     auth, credentials, users, proofs   who may ask, by password
 *     request, request-accept, memory    one request, and what its head asks for
 *     handle                             asking its handler
 *     asked, reply                       what the handler sees of it, and what it says
 *     answer, pages, stream, prepared    what goes out
 *     access, ident                      what is logged of it
 *     body                               where the bytes of its body go
 *     conn, conn-body, conn-answer       the step function that ties them together
 *     conn-move                          to another worker, between two requests
 *     conn-late                          when a handler takes too long
 */
#include "config.h"

#include "conn.h"

/* The longest head that the ranges in settings_options allow, and a little. */
#define MAX_INPUT (65536 + 131072 + 4096)

static const reeve_protocol http = {
    .conn_size = sizeof(struct http_conn),
    .max_input = MAX_INPUT,
    .configure = settings_read,
    .open = conn_step,
    .step = conn_step,
    .expired = conn_expired,
    .drain = conn_drain,
    .close = conn_close,
    .pack = conn_pack,
    .unpack = conn_unpack,
    .late = conn_late,
};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_PROTOCOL, .name = "http", .version = "1.0", .options = settings_options,
             .protocol = &http, .thread_exit = request_thread_exit, .worker_exit = settings_free);
