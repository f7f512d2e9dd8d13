/* The watch over a worker's threads: whose job takes too long, and when it is time for another
 * worker to take this one's place. */
#ifndef WORKER_WATCH_H
#define WORKER_WATCH_H
#include <stdint.h>
#include <sys/types.h>

struct crew;
struct words_record;

/* Main thread, when all threads have started. */
void watch_begin(struct crew *crew);
/* Main thread: the timer that orders_watch() was given has rung. */
void watch_round(struct crew *crew);
/* In a process just forked for a connection: it watches nobody. */
void watch_forked(void);
/* A handler keeps this process, forked for a connection, which will be killed. */
void watch_late_process(pid_t pid, const struct words_record *stack, int64_t ran_ms);
/* Main thread, after crew_serve(): threads are lost, or connections wait for them, so that the crew
 * cannot be ended; the process just exits. */
_Bool watch_has_lost(const struct crew *crew);
#endif
