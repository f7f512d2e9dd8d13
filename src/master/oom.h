/* Short memory, and whom the kernel kills for it. Master. */
#ifndef MASTER_OOM_H
#define MASTER_OOM_H
#include <stdint.h>

struct worker;

/* Finds the counter of what the kernel has killed here: of our control group, else of the
 * machine. */
void oom_open(void);
/* A worker has been reaped: if the kernel has killed it for want of memory, worker->why says so. */
void oom_explain(struct worker *worker);
/* In a new worker, before it executes: if the master is protected from the kernel's choice, its
 * workers are not. */
void oom_unprotect(void);
/* The number behind "oom_kill" in such a file; -1: there is none. Pure: tested alone. */
int64_t oom_count(const char *text);
#endif
