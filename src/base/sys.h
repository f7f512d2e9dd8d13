/* System calls as this program wants them: retried on EINTR, close-on-exec, whole writes. */
#ifndef BASE_SYS_H
#define BASE_SYS_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* recv(2) and send(2) that are no points where a thread may be cancelled, which nobody does here:
 * in a process with several threads the C library's cost two locked operations more each. */
ssize_t sys_recv(int fd, void *to, size_t room);
ssize_t sys_send(int fd, const void *data, size_t length, int flags);
/* Closes and sets to -1. Harmless on -1. errno is kept. */
void sys_close(int *fd);
/* The highest descriptor in use; -1 with errno. */
int sys_highest_fd(void);
/* Closes all descriptors from `first` to `last`, both included. */
void sys_close_range(unsigned first, unsigned last);
/* Writes all of it to a blocking descriptor; -1 with errno if that is impossible. */
int sys_write_all(int fd, const void *data, size_t length);
/* A whole regular file into malloc'ed memory (NUL added, not counted). At most `limit` bytes, else
 * EFBIG. -1 with errno. */
int sys_read_file(const char *path, size_t limit, char **data, size_t *length);
/* The start of a small file of /proc or /sys, whose size stat() does not tell, as text. */
bool sys_read_small(const char *path, char *text, size_t room);
int sys_set_nonblock(int fd, bool on);
int sys_set_cloexec(int fd, bool on);
#endif
