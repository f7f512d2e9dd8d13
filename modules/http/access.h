/* The access log: one line a request, in the combined format. Loop thread. */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H
#include "request.h"

/* `raw` is what there was of a head that was never complete, or NULL. */
void access_log(const struct request *request, const char *raw, size_t length);
#endif
