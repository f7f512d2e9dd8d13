/* Giving up privileges. */
#ifndef WORKER_PRIVILEGE_H
#define WORKER_PRIVILEGE_H
#include <stdbool.h>
#include <sys/types.h>

#include "reeve/module.h"

struct buf;

struct identity {
    uid_t uid;
    gid_t gid;
    char name[64]; /* the account, for initgroups; "" when nothing is to be dropped */
};

/* Whom workers run as, from the options `user` and `group`. As root: user "" is "reeve", or
 * "nobody" where that account is missing; "root" must be said. Not as root: the options must name
 * the caller or be empty. False after reeve_conf_error(). */
bool identity_find(const reeve_section *root, struct identity *identity);
/* The groups and accounts that other options name: those that the master will need. False after
 * reeve_conf_error(). */
bool accounts_exist(const reeve_section *root);
/* Becomes that identity for good, with no_new_privs. False with a line in `error`. */
bool identity_assume(const struct identity *identity, struct buf *error);
#endif
