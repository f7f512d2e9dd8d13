/* An answer in pieces: see reeve_reply_stream(). */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H
#include "request.h"

#define STREAM_PIECE (1024 * 1024) /* bytes that one call of more() may write */

/* Whoever has the request: asks for the next piece. request->conn NULL: it is kept until
 * stream_take(). */
void stream_ask(struct request *request);
/* Loop thread, after stream_ask(): queues what was kept, and what ends the body. */
void stream_take(struct request *request, reeve_conn *conn);
/* reeve_write(). */
int stream_write(struct request *request, const void *data, size_t length);
#endif
