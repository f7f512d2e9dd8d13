/* Probation: a generation serves, and the one before is kept warm. If it passes, the old one
 * drains; if it crashes or fails too often, the old one serves again. At most one is under way. */
#ifndef MASTER_PROBATION_H
#define MASTER_PROBATION_H
#include <jansson.h>

struct generation;
struct operation;
struct worker;

/* By generation.c, as the states change. The operation is that of the reload, and is answered at
 * the end. */
void probation_begin(struct generation *generation, struct generation *warm,
                     struct operation *operation);
void probation_passed(struct generation *generation);
/* `why` of the generation says it. The warm one serves already; the other drains next, and then the
 * operation that is returned is acknowledged. */
struct operation *probation_failed(struct generation *generation);
/* A worker of the generation on probation has ended (is still there). */
void probation_worker_ended(struct worker *worker);
/* One of its processes has crashed, in these words. Of another generation: nothing happens. */
void probation_crashed(const struct generation *generation, const char *text);
/* The server stops: the reload's operation is told so. */
void probation_stopped(void);
/* A reload was asked for, which begins when the probation has ended, if there is one. */
void probation_say_wait(void);
/* For `status`; null if there is none. */
json_t *probation_json(void);
#endif
