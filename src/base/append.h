/* Appends lines to a log that others append to as well. */
#ifndef BASE_APPEND_H
#define BASE_APPEND_H
#include <stdatomic.h>
#include <stddef.h>

/* Writes whole lines. Returns how many of the bytes are lost, errno telling why; 0: none. What a
 * full disk cuts in the middle of a line is taken back to the end of the line before, so that
 * whoever writes next begins a new one; where that cannot be, `torn`, which belongs to the file and
 * to all threads that write to it, makes the next call begin with the end of a line. */
size_t append_lines(int fd, const char *data, size_t length, atomic_bool *torn);
#endif
