/* From the text of a configuration to tokens: the lower half of skim(). Pure functions over one
 * struct on the caller's stack; any process and thread. Private to src/conf. */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H
#include <stdbool.h>
#include <stddef.h>

#include "reeve/module.h"

struct buf;

enum token { T_END, T_WORD, T_STRING, T_ASSIGN, T_OPEN, T_CLOSE, T_COMMA, T_BAD };

struct scan {
    const char *path;    /* for messages */
    const char *text;
    size_t length;
    size_t at;           /* what comes next */
    size_t start;        /* where the last token began */
    int line;
    int start_line;      /* of the last token */
    struct buf *out;     /* a copy of the text, in which comments are blanked */
    struct buf *errors;
    const reeve_option *keep; /* skim.c: the table of the statements to keep; NULL: all */
};

/* The next token; T_BAD after a line in `errors`. */
enum token scan_next(struct scan *s);
/* What a person would call the last token; in `room`. */
const char *scan_shown(const struct scan *s, enum token token, char *room, size_t size);
/* Makes spaces of that part of `out`; line ends stay. */
void scan_blank(struct scan *s, size_t from, size_t to);
/* Adds "path:line: ..." to `errors`. Always false, so that callers can `return
 * scan_refuse(...)`. */
bool scan_refuse(struct scan *s, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
