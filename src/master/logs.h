/* Log files: opened by the master for everybody, opened again on request. */
#ifndef MASTER_LOGS_H
#define MASTER_LOGS_H
#include <stdbool.h>

#include "conf/core.h"

struct buf;
struct operation;
struct worker;

/* The error log of that configuration: opened, and the master's own lines go there. False with a
 * line in `error`; the old one stays in use. */
bool logs_open_error(const struct core *core, struct buf *error);
int logs_error_fd(void); /* to hand to workers; -1: syslog */
bool logs_to_stderr(void);
/* A worker that loads wants this file: it is answered. */
void logs_ask(struct worker *worker, const char *path);
/* Opens all of them again and hands them to all workers; the operation waits for every one. */
void logs_reopen(struct operation *operation);
/* `reevectl log-level`: rules until the configuration is read again. */
void logs_set_level(enum reeve_level level);
bool logs_level_is_set(void);
#endif
