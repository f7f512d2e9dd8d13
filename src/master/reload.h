/* Reload: from a request to a generation that serves, or to the reason why not. */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H
#include <stdbool.h>

struct buf;
struct generation;
struct operation;
struct snapshot;

/* Asks for the configuration to be read again. While a generation is being tried, requests are
 * gathered into one further reload. Returns the operation to wait for. */
struct operation *reload_request(void);
/* A new generation of the very configuration that serves, whatever lies on disk. No other reload may
 * be under way. */
void reload_same(struct operation *operation);
/* Whoever gives reload_same() an operation with an `ended` of its own calls this from there. */
void reload_ended(void);
/* The first generation. False after the reason went to stderr. */
bool reload_first(void);
/* The bytes of a file (NULL: the built-in configuration) with the overrides of the command line.
 * NULL with a line in `errors`. */
struct snapshot *reload_snapshot(const char *path, struct buf *errors);
/* How the generation that was being tried fared; by generation.c. */
void reload_took_over(struct generation *generation, struct operation *operation);
void reload_gave_up(struct generation *generation, struct operation *operation);
#endif
