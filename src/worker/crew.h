/* The crew: all that serves in a worker, as the model's numbers say: loops, pool, and threads or
 * processes for single connections. */
#ifndef WORKER_CREW_H
#define WORKER_CREW_H
#include <stdbool.h>

#include "net/loop.h"

struct buf;
struct core;
struct handover;
struct modules;
struct orders;
struct crew;

/* Starts all threads and waits until they are up. The listeners' descriptors pass to the crew,
 * which listens to `orders` where it has no thread but the calling one. NULL with a line in
 * `error`. One crew a process. */
struct crew *crew_start(const struct core *core, const struct modules *modules,
                        struct handover *handover, struct orders *orders, struct buf *error);
/* Main thread: serves until all is done, obeying the orders. */
void crew_serve(struct crew *crew);
void crew_command(struct crew *crew, enum loop_command command);
/* The listener of that address is no longer configured. "*": all. */
/* The master is gone: nobody shall give connections to others any more. */
void crew_shut_passages(struct crew *crew);
void crew_listener_removed(struct crew *crew, const char *address);
/* That of this address ("*": all) is accepted from while the crew rests, or no longer. */
void crew_listener_stays(struct crew *crew, const char *address, bool on);
/* Answers are the last of their connections, or no longer (reeve_draining()). */
void crew_see_off(struct crew *crew, bool on);
bool crew_has_stopped_accepting(const struct crew *crew);
/* Closes this worker's copies of the listening sockets; after crew_has_stopped_accepting(). */
void crew_close_listeners(struct crew *crew);
/* The same, at any time: loops may still look at the descriptors, so those stay in use. */
void crew_release_listeners(struct crew *crew);
/* Instead of crew_end(), where threads are lost and the process ends at once: frees nothing, since
 * they may still look at it. Nobody joins a thread after that. */
void crew_leave(struct crew *crew);
/* Joins all threads and frees; after crew_serve(). */
void crew_end(struct crew **crew);
#endif
