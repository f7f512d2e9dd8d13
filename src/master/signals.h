/* Signals to the master. */
#ifndef MASTER_SIGNALS_H
#define MASTER_SIGNALS_H

/* Blocks them all and watches them as a descriptor: 0 or -1 with errno. */
int signals_open(void);
#endif
