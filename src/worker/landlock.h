/* Landlock, the kernel's rules on files for processes that want to be bound by them. */
#ifndef WORKER_LANDLOCK_H
#define WORKER_LANDLOCK_H

/* A descriptor of rules under which nothing may be opened, until something is allowed. -1 with
 * errno: this kernel has none (ENOSYS, EOPNOTSUPP). */
int landlock_new(void);
/* The file, or the folder and all below it, may be opened for `what` (enum reeve_opens). 0, or -1
 * with errno. */
int landlock_allow(int rules, const char *path, unsigned what);
/* The rules hold for this thread, and whatever it starts. 0, or -1 with errno. */
int landlock_enter(int rules);
#endif
