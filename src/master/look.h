/* Generations that never serve: one worker loads a configuration, and says how that went. */
#ifndef MASTER_LOOK_H
#define MASTER_LOOK_H
#include <stdbool.h>

struct buf;
struct generation;
struct operation;
struct snapshot;

/* The bytes of a file (NULL: the built-in configuration) with the overrides of the command line.
 * NULL with a line in `errors`. */
struct snapshot *look_snapshot(const char *path, struct buf *errors);
/* Begins one with this snapshot (taken over), which works for the operation. `ended` is called once
 * and takes the operation from it. False with lines in `errors`. */
bool look_begin(struct snapshot *snapshot, struct operation *operation,
                void (*ended)(struct generation *look, bool works), struct buf *errors);
/* Only tests a file (NULL: the one that is configured). Returns the operation to wait for;
 * the caller acknowledges it once it has joined. */
struct operation *look_check(const char *path);
#endif
