/* What a request is called in logs and across servers. Whoever has the request. */
#ifndef HTTP_IDENT_H
#define HTTP_IDENT_H
#include "request.h"

/* The request's id: the client's, if it sent a well-formed one in the field that the option
 * request_id names, else one of our own. Lives as long as the request. */
const char *ident_of(struct request *request);
#endif
