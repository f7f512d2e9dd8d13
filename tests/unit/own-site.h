/* The http module with one site over fake-reeve, where a test's own handlers answer. One thread. */
#ifndef TESTS_OWN_SITE_H
#define TESTS_OWN_SITE_H
#include <stddef.h>

#include "fake-reeve.h"

struct own_route {
    const char *path;
    reeve_handler handler;
    const reeve_section *options; /* the handler's section; NULL: one in which nothing is set */
};

/* Begins with these routes, which must stay where they are. `values`: of the section http, ended
 * by name == NULL, but for its site. */
void own_site_open(const struct own_route *routes, size_t count, const struct fake_value *values);
/* The end; the stand-in is then as it was at first. */
void own_site_close(void);
/* A client. */
reeve_conn *own_site_connect(void);
#endif
