/* What was asked: what a handler is told of its request. Whoever has the request; the meanings are
 * those of reeve/http.h. */
#ifndef HTTP_ASKED_H
#define HTTP_ASKED_H
#include "request.h"

const char *asked_method(const struct reeve_request *public);
const char *asked_target(const struct reeve_request *public);
const char *asked_path(const struct reeve_request *public);
const char *asked_rest(const struct reeve_request *public);
const char *asked_query(const struct reeve_request *public);
const char *asked_header(const struct reeve_request *public, const char *name);
const char *asked_body(const struct reeve_request *public, size_t *length);
const char *asked_peer(const struct reeve_request *public);
const char *asked_user(const struct reeve_request *public);
const char *asked_id(struct reeve_request *public);
const char *asked_query_value(struct reeve_request *public, const char *name);
const char *asked_form_value(struct reeve_request *public, const char *name);
#endif
