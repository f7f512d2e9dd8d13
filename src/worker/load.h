/* From a snapshot to a configured set of modules: what a worker does before it can serve, and all
 * that `reeved -t` does. */
#ifndef WORKER_LOAD_H
#define WORKER_LOAD_H
#include <stdbool.h>

#include "base/buf.h"
#include "conf/core.h"
#include "module/loader.h"
#include "worker/privilege.h"

struct conf;
struct snapshot;

struct loaded {
    struct conf *conf;
    struct core core;
    struct modules modules;
    struct identity identity;
    struct buf idle; /* lines about options that do nothing */
};

/* Everything that can be wrong with a configuration is found here. False with lines in `errors`.
 * Modules stay loaded: a process does this once. load_free() in either case. */
bool load_all(const struct snapshot *snapshot, struct loaded *loaded, struct buf *errors);
/* The same without configuring the modules: enough for printing options. */
bool load_tables(const struct snapshot *snapshot, struct loaded *loaded, struct buf *errors);
void load_free(struct loaded *loaded);
#endif
