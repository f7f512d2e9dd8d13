/* Reload: from a request to a generation that serves, or to the reason why not. */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct generation;
struct operation;
struct snapshot;

/* Asks for the configuration to be read again. While a generation is being tried, requests are
 * gathered into one further reload, with the longest probation (ms, 0: none) that was asked for.
 * Returns the operation to wait for. */
struct operation *reload_request(int64_t probation);
/* Something of that kind has begun and not ended, or is about to. */
bool reload_is_under_way(void);
/* The same with the configuration that an earlier generation had (taken over). Only if none is
 * under way. The caller acknowledges the operation once somebody has joined it. */
struct operation *reload_back(struct snapshot *snapshot, uint32_t number);
/* A new generation of the very configuration that serves, whatever lies on disk. No other reload
 * may be under way. */
void reload_same(struct operation *operation);
/* Whoever gives reload_same() an operation with an `ended` of its own calls this from there. */
void reload_ended(void);
/* The first generation. False after the reason went to stderr. */
bool reload_first(void);
/* How the generation that was being tried fared; by generation.c. */
void reload_took_over(struct generation *generation, struct operation *operation);
void reload_gave_up(struct generation *generation, struct operation *operation);
/* The same, of a generation whose probation has begun: its operation goes on. */
void reload_took_over_for_now(struct generation *generation);
#endif
