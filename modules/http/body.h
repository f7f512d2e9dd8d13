/* The body of a request, from the connection's input to request->body. Loop thread. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H
#include "request.h"

enum body_result { BODY_MORE, BODY_END, BODY_BAD, BODY_LARGE, BODY_NO_MEMORY };

/* Takes what the input holds of it, and nothing behind it. */
enum body_result body_read(reeve_conn *conn, struct request *request);
#endif
