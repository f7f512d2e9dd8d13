/* The access log: one line a request, where and as its site wants it. Loop thread. */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H
#include "request.h"

/* The first byte of a request is there: notes the time; for lines that tell it (settings.timed). */
void access_begin(struct request *request);
static inline const struct access *access_of(const struct request *request)
{
    return request->site != NULL ? &request->site->access : &settings.access;
}
/* There will be a line of it. */
static inline bool access_is_logged(const struct request *request)
{
    return access_of(request)->file != NULL;
}
/* Its answer is queued, or of a large one most is sent. `raw` is what there was of a head that was
 * never complete, or NULL. */
void access_log(struct request *request, const char *raw, size_t length);
/* The connection ends before its answer was sent; its head was complete. `unsent`: what was queued
 * last and is not sent either. */
void access_interrupted(struct request *request, size_t unsent);
#endif
