/* Files that lines are appended to (access logs): opened by the master, written by every thread. */
#ifndef WORKER_LOGFILE_H
#define WORKER_LOGFILE_H
#include <stdbool.h>

struct board_thread;

/* Where reeve_logfile_open() gets its descriptors: the channel to the master, or -1 while only
 * testing a configuration (nothing is opened then). */
void logfile_source(int channel);
/* No more files may be opened from now on. */
void logfile_close_source(void);
/* Writes what the calling thread has buffered. */
void logfile_flush(void);
/* The same at the end of a loop's turn that had so many events; but after a busy one the lines may
 * wait for those of the next, a few times: true then, and the loop may not sleep before that. */
bool logfile_turn_end(int events);
/* The calling thread counts on this record what is lost of its lines. */
void logfile_thread_begin(struct board_thread *record);
/* Flushes and frees the calling thread's buffers. */
void logfile_thread_end(void);
/* Main thread: `fd` is the file at `path`, opened again; taken over. */
void logfile_reopened(const char *path, int fd);
#endif
