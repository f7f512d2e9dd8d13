/* Texts that other processes have written, made harmless for logs and answers. */
#ifndef MASTER_CLEAN_H
#define MASTER_CLEAN_H
#include <jansson.h>
#include <stddef.h>

struct buf;

/* At most `room` bytes, or until a NUL. They may change while they are read. */
void clean_put(struct buf *out, const char *text, size_t room);
/* The same as a new reference. */
json_t *clean_json(const char *text, size_t room);
#endif
