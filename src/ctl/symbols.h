/* Names for addresses: function, source file and line, from what the files on disk tell. */
#ifndef CTL_SYMBOLS_H
#define CTL_SYMBOLS_H
#include <jansson.h>

/* Adds "function", "distance", "file" and "line" to each frame of a crash where they can be
 * found. */
void symbols_add(json_t *crash);
#endif
