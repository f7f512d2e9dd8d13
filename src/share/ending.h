/* How a process of this program ended, in words. Pure. */
#ifndef SHARE_ENDING_H
#define SHARE_ENDING_H

struct buf;

/* Appends what waitpid() has told: "was killed by signal 9 (Killed)", "exited with status 3", or
 * what a status of enum worker_exit stands for. */
void ending_put(struct buf *out, int status);
#endif
