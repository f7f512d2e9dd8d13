/* What the service manager is told, and when. Master. Nothing is done where nobody wants to be
 * told. */
#ifndef MASTER_MANAGER_H
#define MASTER_MANAGER_H

/* The first generation serves. */
void manager_ready(void);
void manager_reload_begins(void);
/* However it went. */
void manager_reload_ended(void);
void manager_stopping(void);
#endif
