/* What the master tells of itself, as JSON. Each returns a new reference. */
#ifndef MASTER_REPORT_H
#define MASTER_REPORT_H
#include <jansson.h>

json_t *report_status(void);
json_t *report_generations(void);
json_t *report_listeners(void);
json_t *report_modules(void);
json_t *report_version(void);
/* Starts the sampling behind requests per second; once. */
void report_start(void);
#endif
