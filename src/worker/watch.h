/* The watch over a worker's threads: whose job takes too long, and when it is time for another
 * worker to take this one's place. */
#ifndef WORKER_WATCH_H
#define WORKER_WATCH_H
struct crew;

/* Main thread, when all threads have started. */
void watch_begin(struct crew *crew);
/* Main thread: the timer that orders_watch() was given has rung. */
void watch_round(struct crew *crew);
/* Main thread, after crew_serve(): threads are lost, or connections wait for them, so that the crew
 * cannot be ended; the process just exits. */
_Bool watch_has_lost(const struct crew *crew);
#endif
