/* What a worker may still do once it serves: capabilities, and files (Landlock). */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H
#include <stdbool.h>

#include "reeve/module.h"

struct buf;
struct modules;

enum sandbox_level { SANDBOX_AUTO, SANDBOX_OFF, SANDBOX_FILES };

struct sandbox {
    enum sandbox_level level; /* as it is in force; never AUTO after sandbox_prepare() */
    bool keep_root;           /* root stays root on purpose: so do its capabilities */
    bool quiet;               /* another worker of the generation says how it is */
    int rules;                /* of Landlock; -1: none */
};

/* What the operator has listed is there. False after reeve_conf_error(). */
bool sandbox_paths_exist(const reeve_section *root);
/* After configuration and worker_init, still with the privileges of the start, so that all that was
 * named can be looked up. */
void sandbox_prepare(struct sandbox *sandbox, const reeve_section *root,
                     const struct modules *modules);
/* After the change of user, before any other thread is started. For good. */
bool sandbox_enter(struct sandbox *sandbox, struct buf *error);

/* caps.c */

/* As root, before the change of user: nothing that is executed later can gain a capability. */
void caps_empty_bounding(void);
/* None are left, nor can they be had again. False with errno. */
bool caps_drop(void);
#endif
