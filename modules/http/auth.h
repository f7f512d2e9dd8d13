/* Basic authentication (RFC 7617) of a route's clients, against a file of users. */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H
#include <stdbool.h>

#include "reeve/module.h"

struct auth;
struct request;

/* What auth_realm and auth_file of the section say, over what the section around it says (`outer`,
 * or NULL). *auth is NULL if nobody is asked, or `outer` itself. The default of the realm is
 * `title`. 0, or -1 after reeve_conf_error(). */
int auth_read(const reeve_section *section, const struct auth *outer, const char *title,
              const struct auth **auth);
void auth_free(const struct auth *auth);

/* The request's route asks for a user: takes what it says, refuses it, or leaves it unproven: then
 * auth_begin, auth_run and auth_end follow. Loop thread. */
void auth_check(struct request *request);
/* False: too many are being proven. Loop thread. */
bool auth_begin(void);
/* Proves the password, or refuses the request. Takes long: pool thread. */
void auth_run(void *request);
/* After each auth_begin() that returned true. Loop thread. */
void auth_end(void);
/* Wipes what the request knows of the password. */
void auth_forget(struct request *request);
#endif
