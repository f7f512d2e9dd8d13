/* What a client prefers, by the field Accept (RFC 9110, 12.5.1). */
#ifndef STATIC_PREFER_H
#define STATIC_PREFER_H

/* How much the field's value likes a media type such as "text/html": 1000 for q=1, 0 for not at
 * all. The most specific range that holds the type counts; an element that is malformed counts as
 * none. NULL, no field, likes everything. Any thread. */
int prefer_weight(const char *field, const char *type);
#endif
