/* Between the files of the watch; see watch.h. */
#ifndef WORKER_WATCH_PRIVATE_H
#define WORKER_WATCH_PRIVATE_H
#include <stdint.h>

struct buf;
struct watched;
struct words_record;

/* watch.c */
void watch_put_request(struct buf *out, const struct words_record *stack);
/* To the slow log. */
void watch_tell_stack(int64_t ran_ms, const struct words_record *stack);
/* To both logs: a handler is late, and what has become of its client and its thread. NULL: the thread
 * does not say where it is. */
void watch_tell_late(const struct words_record *stack, int64_t ran_ms, const char *client,
                     const char *thread);
/* Asks the master for another worker, unless it was asked a moment ago. */
void watch_ask(const char *why);

/* In each round, limits are in ms: */
void watch_loop(struct watched *watched, int64_t limit);              /* watch-loops.c */
void watch_late(struct watched *watched, int64_t now, int64_t limit); /* watch-late.c */
#endif
