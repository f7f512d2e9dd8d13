/* Slots: the places of a generation, each of which should hold one live worker. */
#ifndef MASTER_SLOT_H
#define MASTER_SLOT_H
#include <stdint.h>

struct generation;
struct operation;
struct slot;
struct worker;

/* Appends an empty slot. Aborts when memory is short: the master then cannot keep its promises. */
struct slot *slot_add(struct generation *generation);
/* Starts a worker in it. A failure fails a generation that does not serve yet; in one that does it
 * is tried again later. */
void slot_start(struct slot *slot);
/* Starts a worker that is to replace the present one. */
void slot_start_successor(struct slot *slot);
/* A worker of a serving generation is ready. */
void slot_ready(struct slot *slot, struct worker *worker);
/* A worker of a serving generation has ended, or is leaving: decides when another starts. */
void slot_ended(struct slot *slot, struct worker *worker);
/* Its workers drain; the operation (may be NULL) waits until they no longer accept. */
void slot_retire(struct slot *slot, int64_t drain_ms, struct operation *operation);
/* Lets go of its workers without telling them: no respawn from now on. */
void slot_close(struct slot *slot);
#endif
