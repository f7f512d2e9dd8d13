/* Log files: opened by the master for everybody, opened again on request. */
#ifndef MASTER_LOGS_H
#define MASTER_LOGS_H
#include <stdbool.h>

#include <jansson.h>

#include "conf/core.h"

struct buf;
struct operation;
struct worker;

/* Opens the error log of a configuration that is on trial. False with a line in `error`. Then one
 * of the two: it is the error log from now on, for the master too; or it is given up. */
bool logs_try(const struct core *core, struct buf *error);
void logs_adopt(const struct core *core);
void logs_abandon(void);
int logs_fd(bool on_trial); /* the one in use, or that on trial, to hand to workers; -1: syslog */
/* A worker that loads wants this file: it is answered. */
void logs_ask(struct worker *worker, const char *path);
/* Opens all of them again and hands them to all workers; the operation waits for every one. */
void logs_reopen(struct operation *operation);
/* The log files, for another image of this process (estate.h). False after a line. */
json_t *logs_put(void);
bool logs_take(const json_t *object, struct buf *error);
/* `reevectl log-level`: rules until the configuration is read again. */
void logs_set_level(enum reeve_level level);
bool logs_level_is_set(void);
#endif
