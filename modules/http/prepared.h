/* Answers made once and given often: see reeve_prepare(). */
#ifndef HTTP_PREPARED_H
#define HTTP_PREPARED_H
#include "request.h"

/* Made of the answer that the request holds so far: its status, type and fields, and a body of
 * `length` bytes: a copy of `body`, or, where that is NULL, of the file `fd` from `offset`, which
 * is then closed with it. NULL: memory is short; the file is still the caller's. */
struct prepared *prepared_new(const struct answer *answer, const void *body, int fd, off_t offset,
                              size_t length);
/* Any thread: one holder less; the last one frees it. */
void prepared_hold(struct prepared *prepared);
void prepared_drop(struct prepared *prepared);
int prepared_status(const struct prepared *prepared);
size_t prepared_length(const struct prepared *prepared);
/* Loop thread: queues it as the answer. False: memory is short, the connection must end. */
bool prepared_send(struct prepared *prepared, struct request *request, reeve_conn *conn);
#endif
