/* What a file looks like, in one number: two equal stamps, the same file, not written since. Nobody
 * opens it for that. Any thread. */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_START 0xcbf29ce484222325u /* of nothing */

/* The stamp of what it stood for, and of these bytes. */
uint64_t stamp_mix(uint64_t stamp, const void *data, size_t length);
/* Adds which file the path leads to, its size and when it was written. False: there is none, and
 * the stamp is as it was. */
bool stamp_mix_file(uint64_t *stamp, const char *path);
#endif
