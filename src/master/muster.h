/* How many workers the serving generation should have, looked at in each round. */
#ifndef MASTER_MUSTER_H
#define MASTER_MUSTER_H
#include <jansson.h>

struct generation;
struct operation;

/* With how many workers a generation begins. */
int muster_first(struct generation *generation);
/* Those that take connections, or will when they are ready; who rests is not counted. */
int muster_count(const struct generation *generation);
/* Changes the number of workers of the serving generation by hand; a number that its configuration
 * does not allow is refused. The caller acknowledges the operation once somebody has joined it. */
struct operation *muster_by_hand(int count);
void muster_round(void);
/* What is wanted, and why. */
json_t *muster_report(const struct generation *generation);
#endif
