/* The parsed configuration: libconfuse below, the option tables above.
 *
 * The master parses only the core options (modules == NULL): statements it does not know are
 * blanked before libconfuse sees the text, so line numbers hold. (libconfuse 3.3's own
 * IGNORE_UNKNOWN loses count of nested braces.) A worker parses everything, strictly, with the
 * tables of its modules. */
#ifndef CONF_CONF_H
#define CONF_CONF_H
#include <stdbool.h>
#include <stdio.h>

#include "reeve/module.h"

struct buf;
struct snapshot;
struct conf;

/* NULL after lines "file:line: option: what; what to do" in `errors`. The snapshot must outlive the
 * result. `modules`: the loaded ones, or NULL for the core options alone. */
struct conf *conf_parse(const struct snapshot *snapshot, const reeve_module *const *modules,
                        size_t count, struct buf *errors);
const reeve_section *conf_root(const struct conf *conf);
void conf_free(struct conf **conf);

/* The effective configuration with the origin of each value, as `reeved -T` prints it. */
void conf_print(const struct conf *conf, struct buf *out);
/* The option part of reeve.conf(5), in man(7) markup, from the same tables. */
void conf_manual(const reeve_module *const *modules, size_t count, FILE *out);

/* Where reeve_conf_error() adds its lines from now on; NULL: nowhere (it aborts). */
void conf_collect_errors(struct buf *errors);
/* The same for reeve_conf_idle(), which does without. */
void conf_collect_idle(struct buf *lines);
/* What reeve_conf_reads() was told, a line "STAMP NAME" for each file; at most about 16 KiB. */
void conf_put_reads(struct buf *out);
/* The built-in configuration, used when there is no file. */
extern const char conf_builtin[];
#endif
