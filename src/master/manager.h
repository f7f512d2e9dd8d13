/* What the service manager is told, and when. Master. Nothing is done where nobody wants to be
 * told. */
#ifndef MASTER_MANAGER_H
#define MASTER_MANAGER_H
#include <stdbool.h>

/* The first generation serves. */
void manager_ready(void);
/* This program has taken over from one that had said so. An upgrade is told as a reload, which has
 * begun if `reloads`. */
void manager_goes_on(bool reloads);
void manager_reload_begins(void);
/* However it went. */
void manager_reload_ended(void);
void manager_stopping(void);
#endif
