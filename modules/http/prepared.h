/* Answers made once and given often: see reeve_prepare(). */
#ifndef HTTP_PREPARED_H
#define HTTP_PREPARED_H
#include <stdatomic.h>

#include "request.h"

struct prepared {
    struct reeve_prepared public; /* first: what a handler is given */
    atomic_uint holders;
    int status;
    int fd;             /* of the body; -1: it stands behind the head */
    off_t offset;
    size_t length;      /* of the body */
    size_t date_at;     /* in the head */
    size_t head_length; /* with the empty line, behind which the body stands */
    size_t whole;       /* of both, if a body is sent with its head; else 0 */
    char bytes[];
};

/* Made of the answer that the request holds so far: its status, type and fields, and a body of
 * `length` bytes: a copy of `body`, or, where that is NULL, of the file `fd` from `offset`, which
 * is then closed with it. NULL: memory is short; the file is still the caller's. */
struct prepared *prepared_new(const struct answer *answer, const void *body, int fd, off_t offset,
                              size_t length);
/* Any thread: one holder less; the last one frees it. */
void prepared_hold(struct prepared *prepared);
void prepared_drop(struct prepared *prepared);
/* Loop thread: queues it as the answer. False: memory is short, the connection must end. */
bool prepared_send(struct prepared *prepared, struct request *request, reeve_conn *conn);
/* reeve_reply_prepared() and reeve_prepared_free(). */
int prepared_reply(struct reeve_request *public, reeve_prepared *given);
void prepared_free(reeve_prepared *prepared);
#endif
