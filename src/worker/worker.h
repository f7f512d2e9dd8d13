/* A worker's life, from exec to exit. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

/* The whole worker process. Returns its exit status (enum worker_exit). */
int worker_main(void);
#endif
