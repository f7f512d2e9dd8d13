/* The number of workers, and their replacement, by hand. */
#ifndef MASTER_WORKFORCE_H
#define MASTER_WORKFORCE_H
#include <stdbool.h>

struct operation;

/* Changes the number of workers of the serving generation, for a reason in words. The caller
 * acknowledges the operation once somebody has joined it. */
struct operation *workforce_scale(int count, const char *why);
/* Somebody is being replaced now. */
bool workforce_is_recycling(void);
/* Replaces the worker of one slot, or of all, one after the other, the replacement first. */
void workforce_recycle(struct operation *operation, int slot, bool all);
#endif
