/* What the master tells of itself, as JSON. Each returns a new reference. */
#ifndef MASTER_REPORT_H
#define MASTER_REPORT_H
#include <jansson.h>

void report_begin(void); /* once, before the first: may wait for the system's list of accounts */
json_t *report_status(void);
json_t *report_generations(void);
json_t *report_listeners(void);
json_t *report_modules(void);
json_t *report_version(void);
/* Parts of these. */
json_t *report_workers(void);
/* Notes the requests so far; once a second, or requests per second come out wrong. */
void report_sample(void);
#endif
