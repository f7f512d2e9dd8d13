/* Reading bytes of a file. Any thread. */
#ifndef STATIC_READ_H
#define STATIC_READ_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Reads so many bytes; waits for the disk. 0, or -1 with errno: EIO also if the file ends first. */
int read_whole(int fd, void *to, size_t length, uint64_t offset);
/* Reads so many bytes of a file, that `st` is of, if all of them are in memory; else false. It may
 * wait on a file system that cannot tell, or on a kernel before Linux 4.14. */
bool read_cached(int fd, const struct stat *st, void *to, size_t length, uint64_t offset);
#endif
