/* What a request is called in logs and across servers. Loop thread. */
#ifndef HTTP_IDENT_H
#define HTTP_IDENT_H
#include "request.h"

/* Each thread, before its first request. 0, or -1 after a log line. */
int ident_thread_init(void);
/* The request's id: the client's, if it sent a well-formed one in the field that the option
 * request_id names, else one of our own. Lives as long as the request. */
const char *ident_of(struct request *request);
#endif
