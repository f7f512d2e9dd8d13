/* A worker's life, from exec to exit. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#define WORKER_CHANNEL_FD 3 /* where the master put the channel before exec */
#define WORKER_CHECK_SLOT (-1) /* START with this slot: load, report, exit without serving */

/* The whole worker process. Returns its exit status (enum worker_exit). */
int worker_main(void);
#endif
