/* Who may ask, by address: the options allow and deny of a site or a route. Written while
 * configuring, afterwards only read, by all threads. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H
#include <stdbool.h>

#include "reeve/module.h"

struct guard;

/* What the section says; *guard is NULL if it says nothing. 0, or -1 after reeve_conf_error(). */
int guard_read(const reeve_section *section, struct guard **guard);
void guard_free(struct guard *guard);
/* May this client (as reeve_peer() names it) ask? */
bool guard_admits(const struct guard *guard, const char *peer);
#endif
