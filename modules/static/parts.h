/* Several ranges of a file in one body, multipart/byteranges (RFC 9110, 15.3.7.2). */
#ifndef STATIC_PARTS_H
#define STATIC_PARTS_H
#include "range.h"

#define PARTS_MOST 65536 /* bytes of all ranges together */
#define PARTS_TYPE 64    /* room for the body's media type */

/* Reads the ranges of a file of `size` bytes, whose media type is `type`. The body, which is the
 * caller's to free, and its media type. NULL with errno if memory is short, the file cannot be read
 * or has become shorter, or the ranges are more than PARTS_MOST. Any thread. */
char *parts_read(int fd, uint64_t size, const char *type, const struct ranges *ranges,
                 char body_type[PARTS_TYPE], size_t *length);
#endif
