/* Blame: requests and modules that kill workers are kept from killing more. */
#ifndef MASTER_QUARANTINE_H
#define MASTER_QUARANTINE_H
#include <jansson.h>
#include <stdint.h>

struct core;
struct worker;
struct words_record;

/* A worker has died and left this; `core`: what its generation is configured to do about it. */
void quarantine_blame(const struct core *core, const struct words_record *record);
/* Tells a worker that is about to serve what is in quarantine. */
void quarantine_brief(struct worker *worker);
/* A new reference: what is in quarantine, and how often modules have crashed of late. */
json_t *quarantine_list(void);
/* A new reference, for `status`: how many requests and modules are refused now. */
json_t *quarantine_report(void);
/* Serves all again and forgets what led to it. How many there were. */
unsigned quarantine_clear(void);
/* For an upgrade: what is in quarantine, and the same again. Suspects are forgotten. */
json_t *quarantine_put(void);
void quarantine_restore(const json_t *list);
#endif
