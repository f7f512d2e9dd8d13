/* Rollback: back to the configuration of an earlier generation. */
#ifndef MASTER_ROLLBACK_H
#define MASTER_ROLLBACK_H
#include <stdint.h>

struct buf;
struct operation;

/* Said whenever what serves is not what the file says. */
#define FILE_UNCHANGED "the file on disk is unchanged: the next reload reads it again"

/* To that generation's configuration; 0: to the last good one's. While a probation is on, it ends.
 * The caller acknowledges the operation once somebody has joined it. NULL with a line in
 * `error`. */
struct operation *rollback_begin(uint32_t number, struct buf *error);
#endif
