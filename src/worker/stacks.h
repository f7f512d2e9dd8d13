/* The stacks of living threads: each is interrupted by a signal for a moment, and says where it
 * is. */
#ifndef WORKER_STACKS_H
#define WORKER_STACKS_H
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct orders;
struct words_record;

#define STACKS_SIGNAL (SIGRTMIN + 3)

/* Once, before other threads are started. */
void stacks_begin(void);
/* Main thread: the stack of a thread that has not been joined, and what it has in hand. NULL: it
 * does not answer (it may wait for a disk). Valid until the next call. */
struct words_record *stacks_take(pthread_t thread);
/* Main thread: calls that function, which must be async-signal-safe, in that thread. False: it does not
 * answer; it will not be called any more. */
bool stacks_call(pthread_t thread, void (*call)(void *arg), void *arg);
/* stacks-all.c: main thread: tells the master of every thread. */
void stacks_tell(struct orders *orders, uint32_t op);
/* The frames in one line: "handler+0x12 (burn.so+0x1234) < ...". */
void stacks_put(struct buf *out, const struct words_record *record);
#endif
