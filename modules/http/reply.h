/* What is answered: what a handler says of it, and the pages that the core answers with. Whoever
 * has the request; the meanings are those of reeve/http.h. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H
#include "request.h"

/* May the handler, or the core for it, still say what the answer is? */
static inline bool reply_is_open(const struct request *request)
{
    return !request->answer.given && !request->again;
}

/* The site's own page of a status, else the standard one with one sentence more unless `why` is
 * NULL. 0, or -1 as reeve_reply(). */
int reply_page(struct request *request, int status, const char *why);

int reply_set_header(struct reeve_request *public, const char *name, const char *value);
int reply_set_trailer(struct reeve_request *public, const char *name, const char *value);
int reply_interim(struct reeve_request *public, int status);
int reply_bytes(struct reeve_request *public, int status, const char *type, const void *body,
                size_t length);
int reply_file(struct reeve_request *public, int status, const char *type, int fd, off_t offset,
               size_t length);
int reply_status(struct reeve_request *public, int status);
int reply_stream(struct reeve_request *public, int status, const char *type, uint64_t length,
                 int (*more)(struct reeve_request *, void *arg), void (*over)(void *arg),
                 void *arg);
reeve_prepared *reply_prepare(struct reeve_request *public, int status, const char *type,
                              const void *body, size_t length);
reeve_prepared *reply_prepare_file(struct reeve_request *public, int status, const char *type,
                                   int fd, off_t offset, size_t length);
int reply_write(struct reeve_request *public, const void *data, size_t length);
#endif
