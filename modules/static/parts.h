/* Several ranges of a file in one body, multipart/byteranges (RFC 9110, 15.3.7.2). */
#ifndef STATIC_PARTS_H
#define STATIC_PARTS_H
#include "range.h"
#include "reeve/http.h"

/* Answers with 206 and those ranges of the file `fd`, which is taken, has `size` bytes, and is of
 * the media type `type`, a text that lives as long as the module. Its fields have been set. What
 * reeve_reply_stream() returns. Where a thread may wait. */
int parts_send(reeve_request *request, int fd, uint64_t size, const char *type,
               const struct ranges *ranges);
#endif
