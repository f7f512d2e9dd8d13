/* Stopping: the whole server, or generations that drain for too long. */
#ifndef MASTER_STOP_H
#define MASTER_STOP_H
#include <stdint.h>

struct operation;

/* Begins to stop: drain with that deadline (ms; 0: none). Later calls can only hasten it. The
 * operation (may be NULL) waits until no worker accepts any more. */
void stop_begin(int64_t drain_ms, struct operation *operation);
/* More generations drain than `limit`: the oldest are cut. */
void stop_oldest(int limit);
#endif
