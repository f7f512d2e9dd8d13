/* A growable run of bytes for the http module. Owner: whoever declared it; zero is empty. */
#ifndef HTTP_BYTES_H
#define HTTP_BYTES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    char *data;
    size_t length, room;
};

/* Room for `more` bytes behind the length. False: memory is short, nothing has changed. */
static inline bool bytes_room(struct bytes *bytes, size_t more)
{
    if (bytes->room - bytes->length >= more)
        return true;
    if (more > PTRDIFF_MAX - bytes->length)
        return false;
    size_t room = bytes->room > 0 ? bytes->room : 512;
    while (room - bytes->length < more)
        room *= 2;
    char *data = realloc(bytes->data, room);
    if (data == NULL)
        return false;
    bytes->data = data;
    bytes->room = room;
    return true;
}

static inline bool bytes_add(struct bytes *bytes, const void *data, size_t length)
{
    if (length == 0)
        return true;
    if (!bytes_room(bytes, length))
        return false;
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return true;
}

/* Empties; keeps the memory unless it is more than `keep`. */
static inline void bytes_reset(struct bytes *bytes, size_t keep)
{
    bytes->length = 0;
    if (bytes->room > keep) {
        free(bytes->data);
        bytes->data = NULL;
        bytes->room = 0;
    }
}
#endif
