/* Users and the hashes of their passwords, from an htpasswd file. Read while configuring,
 * afterwards only looked up, by all threads. */
#ifndef HTTP_USERS_H
#define HTTP_USERS_H
#include <stdbool.h>
#include <stdint.h>

#include "reeve/module.h"

struct users;

/* The file's users; files that are named twice are read once. `section` says it by the option
 * `name`, for messages. 0, or -1 after reeve_conf_error(). */
int users_read(const reeve_section *section, const char *name, const char *path,
               const struct users **users);
/* The hash to compare a password with. For who is not in the file: that of somebody who is, chosen
 * by `luck`, so that the comparison takes as long; *known is false then. NULL: there is nobody. */
const char *users_hash(const struct users *users, const char *user, uint64_t luck, bool *known);
void users_free_all(void);
#endif
