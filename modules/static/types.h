/* Media types by file extension. */
#ifndef STATIC_TYPES_H
#define STATIC_TYPES_H

/* Reads a mime.types file in addition to the built-in table; a missing one is none. Main thread,
 * once, before types_find(). */
void types_load(const char *path);
void types_free(void);
/* The Content-Type of a file name, charset included; never NULL. Any thread. */
const char *types_find(const char *name);
#endif
