/* Between the files of the watch; see watch.h. */
#ifndef WORKER_WATCH_PRIVATE_H
#define WORKER_WATCH_PRIVATE_H
struct buf;
struct crew;
struct words_record;

/* watch.c */
void watch_put_request(struct buf *out, const struct words_record *stack);
/* Asks the master for another worker, unless it was asked a moment ago. */
void watch_ask(const char *why);

/* watch-loops.c: in each round */
void watch_loops(struct crew *crew);
#endif
