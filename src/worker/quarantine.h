/* Requests and modules that the master wants refused, because they have crashed workers. Asked for
 * by reeve_quarantined(). */
#ifndef WORKER_QUARANTINE_H
#define WORKER_QUARANTINE_H

/* Main thread: what MSG_QUARANTINE says. */
void quarantine_heed(const char *text, int seconds);
#endif
