/* The Accept-Encoding field (RFC 9110, 12.5.3). Pure; any thread. */
#ifndef STATIC_ACCEPT_H
#define STATIC_ACCEPT_H
#include <stddef.h>

/* How a precompressed sibling is called, and what it is. */
struct accept_coding {
    const char *name;   /* the content coding: "gzip" */
    const char *suffix; /* ".gz" */
};

/* The coding of that name; NULL if it is not known here. */
const struct accept_coding *accept_find(const char *name);

/* A qvalue (12.4.2) in thousandths: "0", "0.25", "1.000"; -1 if it is none. *at moves behind it. */
int accept_weight(const char **at);

#define ACCEPT_CODINGS 3 /* known ones */
#define ACCEPT_OFFERED (ACCEPT_CODINGS + 1) /* at most: gzip as a sibling, and made here */

/* Puts those of `offered` that the client prefers to the bare file into `order`, which has room for
 * all of them, the best first; among equals in the order offered. `field` may be NULL. How many. */
size_t accept_order(const char *field, const struct accept_coding *const offered[], size_t count,
                    const struct accept_coding *order[]);
#endif
