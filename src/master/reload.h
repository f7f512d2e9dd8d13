/* Reload: from a request to a generation that serves, or to the reason why not. */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H
#include <stdbool.h>

struct generation;
struct operation;

/* Asks for the configuration to be read again. While a generation is being tried, requests are
 * gathered into one further reload. Returns the operation to wait for. */
struct operation *reload_request(void);
/* The first generation. False after the reason went to stderr. */
bool reload_first(void);
/* Only tests a file (NULL: the one that is configured). Returns the operation to wait for;
 * the caller acknowledges it once it has joined. */
struct operation *reload_check(const char *path);
/* How the generation that was being tried fared; by generation.c. */
void reload_took_over(struct generation *generation, struct operation *operation);
void reload_gave_up(struct generation *generation, struct operation *operation);
#endif
