/* The crew: the threads of a worker that serve, loops and pool, as the model's numbers say. */
#ifndef WORKER_CREW_H
#define WORKER_CREW_H
#include <stdbool.h>

#include "net/loop.h"

struct buf;
struct core;
struct handover;
struct modules;
struct crew;

/* Starts all threads and waits until they are up. The listeners' descriptors pass to the crew.
 * `wake_fd`: an eventfd written whenever a loop stops accepting or ends. NULL with a line in
 * `error`. One crew a process. */
struct crew *crew_start(const struct core *core, const struct modules *modules,
                        struct handover *handover, int wake_fd, struct buf *error);
void crew_command(struct crew *crew, enum loop_command command);
/* The listener of that address is no longer configured. "*": all. */
void crew_listener_removed(struct crew *crew, const char *address);
bool crew_has_stopped_accepting(const struct crew *crew);
/* Closes this worker's copies of the listening sockets; after crew_has_stopped_accepting(). */
void crew_close_listeners(struct crew *crew);
/* The same, at any time: loops may still look at the descriptors, so those stay in use. */
void crew_release_listeners(struct crew *crew);
bool crew_is_done(const struct crew *crew); /* every loop has ended */
/* Joins all threads and frees; after crew_is_done(). */
void crew_end(struct crew **crew);
#endif
