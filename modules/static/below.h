/* Opening files below a folder. */
#ifndef STATIC_BELOW_H
#define STATIC_BELOW_H

enum below_how {
    BELOW_LINKS = 1,  /* links lead wherever they point; else nothing outside can be reached */
    BELOW_CACHED = 2, /* never wait for a disk: EAGAIN where a name on the way is not in memory */
};

/* How names below the folder `root` are to be opened by a thread that may not wait: BELOW_CACHED,
 * or 0 where the kernel does not know that (before Linux 5.12), or where the folder itself lies in
 * memory. */
unsigned below_unwaiting(int root);

/* Opens `name`, relative to the folder `root`; "" is the folder itself. `how`: of enum below_how;
 * `flags` as for open(2), O_CLOEXEC is added. -1 with errno: EXDEV or ELOOP where the way leads
 * out; EAGAIN also where the file is under a lease, or renamed each time that it is tried. Any
 * thread. */
int below_open(int root, const char *name, unsigned how, int flags);
#endif
