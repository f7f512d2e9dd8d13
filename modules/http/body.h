/* The body of a request, from the connection's input to where it goes. Loop thread. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H
#include "request.h"

#define BODY_PIECE_MAX 65536 /* bytes that a handler receives at once */

/* Where a body goes. */
enum body_way {
    BODY_DROPPED,          /* nowhere: the request is refused */
    BODY_GATHERED,         /* to request->body, at most body_limit */
    BODY_RECEIVED,         /* piece by piece to the handler, which has receive() */
    BODY_RECEIVED_IN_POOL, /* likewise, by way of request->body */
};

enum body_result {
    BODY_TAKEN,     /* all that the input held: see request->body_state */
    BODY_PIECE,     /* request->body holds a piece to be handed over in the pool */
    BODY_STOPPED,   /* the handler has answered, or failed */
    BODY_LARGE,
    BODY_NO_MEMORY,
};

enum body_way body_way(const struct request *request);
/* Takes what the input holds of the body, and nothing behind it. */
enum body_result body_read(reeve_conn *conn, struct request *request);
#endif
