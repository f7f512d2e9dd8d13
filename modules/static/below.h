/* Opening files below a folder. */
#ifndef STATIC_BELOW_H
#define STATIC_BELOW_H

enum below_how {
    BELOW_LINKS = 1,  /* links lead wherever they point; else nothing outside can be reached */
    BELOW_CACHED = 2, /* never wait for a disk: EAGAIN where a name on the way is not in memory */
};

/* Finds out, by opening the folder `root`, whether this kernel knows BELOW_CACHED (Linux 5.12); it
 * is passed over otherwise. Main thread, before the first use of it. */
void below_probe(int root);

/* Opens `name`, relative to the folder `root`; "" is the folder itself. `how`: of enum below_how;
 * `flags` as for open(2), O_CLOEXEC is added. -1 with errno: EXDEV or ELOOP where the way leads
 * out; EAGAIN also where the file is under a lease, or renamed each time that it is tried. Any
 * thread. */
int below_open(int root, const char *name, unsigned how, int flags);
#endif
