/* The life of a process that was forked for one connection. */
#ifndef WORKER_CHILD_H
#define WORKER_CHILD_H
#include "net/loop.h"

struct crew;

/* Serves the connection with what the worker had set up, under this record on the board, and ends
 * the process. `channel` leads to the worker. */
_Noreturn void child_main(struct crew *crew, const struct accepted *accepted, unsigned record,
                          int channel);
#endif
