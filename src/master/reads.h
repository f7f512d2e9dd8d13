/* The files that modules have read, as the first worker of a generation has told: a line "STAMP
 * NAME" for each. Their names are for people alone: the master touches none of these files. */
#ifndef MASTER_READS_H
#define MASTER_READS_H
#include <stdbool.h>

struct buf;

/* What the two lists (NULL: none) tell first of a file that is not the same: its name in `name`.
 * False: they are equal. */
bool reads_differ(const char *before, const char *now, struct buf *name);
#endif
