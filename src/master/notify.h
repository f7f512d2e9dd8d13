/* Words to the service manager: the protocol of sd_notify(3), one datagram each. Master. */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H
#include <stdbool.h>
#include <stdint.h>

/* What the service manager has put into the environment. Workers must not speak in the master's
 * name: they are started without these variables. */
extern const char *const notify_environment[]; /* ended by NULL */

/* Looks whether somebody wants to be told ($NOTIFY_SOCKET). */
void notify_open(void);
bool notify_wanted(void);
/* Every how many microseconds the service manager wants to hear that all is well; 0: it does
 * not. */
int64_t notify_watchdog_usec(void);
/* Sends lines "NAME=value" as one datagram. Never waits: a `lasting` word that cannot be sent now
 * is tried again, in order; any other is dropped, and the answer is false. */
bool notify_send(const char *text, bool lasting);
/* The last words, as far as they can be said without waiting. */
void notify_close(void);
#endif
