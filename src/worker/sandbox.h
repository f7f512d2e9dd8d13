/* What a worker may still do once it serves: capabilities, files (Landlock), system calls
 * (seccomp). */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H
#include <stdbool.h>

#include "reeve/module.h"

struct buf;
struct modules;

enum sandbox_level { SANDBOX_AUTO, SANDBOX_OFF, SANDBOX_FILES, SANDBOX_STRICT };

struct sandbox {
    enum sandbox_level level; /* as it is in force; never AUTO after sandbox_prepare() */
    bool keep_root;           /* root stays root on purpose: so do its capabilities */
    bool quiet;               /* another worker of the generation says how it is */
    bool forks;               /* a process for each connection */
    int rules;                /* of Landlock; -1: none */
    int listener;             /* of seccomp, for the master alone; -1: none */
    bool files, calls;        /* are confined, after sandbox_enter() */
    char note[256];           /* why less than one may have thought; "": as said */
};

/* What the operator has listed is there, and what he wants is possible here. False after
 * reeve_conf_error(). */
bool sandbox_is_possible(const reeve_section *root);
/* For `reeved -t`: a line of what this machine can do of that; "" if there is nothing to say. */
void sandbox_put_test(const reeve_section *root, struct buf *out);
/* After configuration and worker_init, still with the privileges of the start, so that all that was
 * named can be looked up. */
void sandbox_prepare(struct sandbox *sandbox, const reeve_section *root,
                     const struct modules *modules);
/* After the change of user, before any other thread is started. For good. */
bool sandbox_enter(struct sandbox *sandbox, const reeve_section *root, struct buf *error);
/* As MSG_SANDBOX tells it to the master, after the account. */
void sandbox_put(const struct sandbox *sandbox, struct buf *out);
/* In a process just forked for a connection. False with errno. */
bool sandbox_enter_child(void);

/* caps.c */

/* As root, before the change of user: nothing that is executed later can gain a capability. */
void caps_empty_bounding(void);
/* None are left, nor can they be had again. False with errno. */
bool caps_drop(void);
#endif
