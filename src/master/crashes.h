/* What the master keeps of the workers that a signal has killed: their last words. */
#ifndef MASTER_CRASHES_H
#define MASTER_CRASHES_H
#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct worker;

/* A worker has ended so: logs and keeps its last words, if it was a crash. Before its part of the
 * board is given to another. */
void crashes_take(const struct worker *worker, int status);
/* A process that it had forked for a connection has crashed. */
void crashes_take_process(const struct worker *worker, pid_t pid);

/* New references; NULL: there is none with that number. */
json_t *crashes_list(void);
json_t *crashes_show(int64_t number);
/* How many there were. */
unsigned crashes_clear(void);
/* For an upgrade: all that is kept, and the same again. */
json_t *crashes_put(void);
void crashes_restore(const json_t *object);
#endif
