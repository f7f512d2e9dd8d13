/* Modules: finding, loading and checking them (loader.c), configuring and running them (modules.c).
 * Worker only; never unloaded. */
#ifndef MODULE_LOADER_H
#define MODULE_LOADER_H
#include <stdbool.h>
#include <stddef.h>

#include "reeve/module.h"

struct buf;
struct conf;
struct core;

struct modules {
    const reeve_module **list;
    size_t count;
};

/* Loads core->modules from core->module_path (a list of folders, ":" between). A module with
 * another interface is refused by a sentence that says which. 0, or -1 with lines in `errors`. */
int modules_load(struct modules *modules, const struct core *core, struct buf *errors);
/* Why this descriptor can't be used by this program, in words; NULL if it can. Pure: tested
 * alone. */
const char *module_refusal(const reeve_module *module, char *room, size_t size);

/* modules.c */
/* Main thread: from here on code of the module of that name runs, of none if NULL; for the report
 * of a crash. The name is not copied. */
void module_runs(const char *name);
const reeve_module *modules_find(const struct modules *modules, enum reeve_kind kind,
                                 const char *name);
/* Calls every protocol's configure with its section (those then configure the handlers of their
 * routes), and checks that every listener names a loaded protocol. */
int modules_configure(const struct modules *modules, const struct conf *conf, struct buf *errors);
/* 0; -1 logged, and in *refused who would not. */
int modules_worker_init(const struct modules *modules, const char **refused);
int modules_thread_init(const struct modules *modules);
void modules_thread_exit(const struct modules *modules);
void modules_worker_exit(const struct modules *modules);
#endif
