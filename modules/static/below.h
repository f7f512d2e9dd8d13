/* Opening files below a folder. */
#ifndef STATIC_BELOW_H
#define STATIC_BELOW_H
#include <stdbool.h>

/* Opens `name`, relative to the folder `root`; "" is the folder itself. Without `symlinks` nothing
 * outside the folder can be reached; with it links lead wherever they point. `flags` as for
 * open(2), O_CLOEXEC is added. -1 with errno: EXDEV or ELOOP where the way leads out. Any
 * thread. */
int below_open(int root, const char *name, bool symlinks, int flags);
#endif
