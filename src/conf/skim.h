/* The first look at a configuration's text: is it well formed, and what of it is ours?
 *
 * libconfuse 3.3 counts lines wrongly after comments, loops for ever on a quoted name that begins
 * with "=", drops "*" and CR silently, and its IGNORE_UNKNOWN loses count of braces. So it never
 * sees the file as it is: it gets what skim() makes of it, where every comment is blanked, and
 * whatever the two could read differently is refused with a sentence. Pure: tested alone. */
#ifndef CONF_SKIM_H
#define CONF_SKIM_H
#include <stdbool.h>
#include <stddef.h>

#include "reeve/module.h"

struct buf;

/* Appends the text to `out` with comments blanked and, unless `keep` is NULL, every top-level
 * statement whose name is not in that table blanked too; newlines stay, so line numbers hold. False
 * after one line "path:line: what" in `errors`. */
bool skim(const char *path, const char *text, size_t length, const reeve_option *keep,
          struct buf *out, struct buf *errors);
#endif
