/* The first look at a configuration's text; see skim.h. It reads statements here, and tokens in
 * scan.c. Pure functions over one struct on the caller's stack; any process and thread. What must
 * hold: the output has the length and the line ends of the input, and reads in libconfuse as it was
 * read here. */
#include "config.h"

#include "conf/skim.h"

#include <string.h>

#include "base/buf.h"
#include "conf/scan.h"

#define DEPTH_MAX 32 /* sections in each other; guards the stack against a hostile file */

static bool unexpected(struct scan *s, enum token token, const char *name, const char *sentence)
{
    char room[256];
    if (token == T_BAD)
        return false;
    return scan_refuse(s, s->start_line, "%s: %s instead of %s", name, sentence,
                       scan_shown(s, token, room, sizeof(room)));
}

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.';
        if (!good)
            return false;
    }
    return length > 0;
}

static bool list_not_closed(struct scan *s, int line, const char *name)
{
    return scan_refuse(s, line, "%s: the list that begins here is not closed; add \"}\"", name);
}

/* After "{" of a list. */
static bool skim_list(struct scan *s, const char *name)
{
    int line = s->start_line;
    for (;;) {
        enum token token = scan_next(s);
        if (token == T_CLOSE)
            return true;
        if (token == T_END)
            return list_not_closed(s, line, name);
        if (token != T_WORD && token != T_STRING)
            return unexpected(s, token, name, "the list needs a value or \"}\"");
        token = scan_next(s);
        if (token == T_CLOSE)
            return true;
        if (token == T_END)
            return list_not_closed(s, line, name);
        if (token != T_COMMA)
            return unexpected(s, token, name, "the list needs \",\" or \"}\"");
    }
}

static bool skim_statements(struct scan *s, const char *inside, int line, int depth);

/* After the name of a statement: the rest of it. */
static bool skim_rest(struct scan *s, const char *name, int depth)
{
    enum token token = scan_next(s);
    if (token == T_ASSIGN) {
        token = scan_next(s);
        if (token == T_OPEN)
            return skim_list(s, name);
        if (token == T_WORD || token == T_STRING)
            return true;
        return unexpected(s, token, name, "a value must follow \"=\"");
    }
    if (token == T_WORD || token == T_STRING) {
        token = scan_next(s);
        if (token != T_OPEN)
            return unexpected(s, token, name, "write \"=\" before a value, or \"{\" after a title");
    }
    if (token != T_OPEN)
        return unexpected(s, token, name, "write \"= VALUE\" or \"{ ... }\" after it");
    if (depth == DEPTH_MAX)
        return scan_refuse(s, s->start_line, "%s: sections stand too deep in each other", name);
    return skim_statements(s, name, s->start_line, depth + 1);
}

static bool kept(const struct scan *s, const char *name)
{
    if (!s->keep)
        return true;
    for (const reeve_option *o = s->keep; o->type != REEVE_OPT_END; o++)
        if (strcmp(o->name, name) == 0)
            return true;
    return false;
}

static bool skim_statement(struct scan *s, enum token token, int depth)
{
    char name[64], room[256];
    size_t start = s->start, quote = token == T_STRING ? 1 : 0;
    size_t length = s->at - start - 2 * quote;
    if (token != T_WORD && token != T_STRING)
        return scan_refuse(s, s->start_line,
                           "the name of an option should stand here instead of %s",
                           scan_shown(s, token, room, sizeof(room)));
    if (!is_name(s->text + start + quote, length) || length >= sizeof(name))
        return scan_refuse(s, s->start_line,
                           "%s can't be the name of an option; names are made of letters, digits "
                           "and \"_\"", scan_shown(s, token, room, sizeof(room)));
    memcpy(name, s->text + start + quote, length);
    name[length] = '\0';
    if (!skim_rest(s, name, depth))
        return false;
    if (depth == 0 && !kept(s, name))
        scan_blank(s, start, s->at);
    return true;
}

/* Statements up to the "}" of the section `inside`, or at depth 0 to the end of the file. */
static bool skim_statements(struct scan *s, const char *inside, int line, int depth)
{
    for (;;) {
        enum token token = scan_next(s);
        if (token == T_BAD)
            return false;
        if (token == T_END && depth == 0)
            return true;
        if (token == T_END)
            return scan_refuse(s, line,
                               "%s: the section that begins here is not closed; add \"}\"", inside);
        if (token == T_CLOSE && depth > 0)
            return true;
        if (token == T_CLOSE)
            return scan_refuse(s, s->start_line, "\"}\" closes nothing; remove it, or look for a "
                                                 "missing \"{\" above");
        if (!skim_statement(s, token, depth))
            return false;
    }
}

bool skim(const char *path, const char *text, size_t length, const reeve_option *keep,
          struct buf *out, struct buf *errors)
{
    struct scan s = {.path = path, .text = text, .length = length, .line = 1, .keep = keep,
                     .out = out, .errors = errors};
    buf_clear(out);
    buf_add(out, text, length);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        s.at = 3; /* the byte order mark that some editors write */
        scan_blank(&s, 0, 3);
    }
    return skim_statements(&s, "", 1, 0) && !out->failed;
}
