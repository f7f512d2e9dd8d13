/* The first look at a configuration's text; see skim.h. Pure functions over one struct on the
 * caller's stack; any process and thread. What must hold: the output has the length and the line
 * ends of the input, and reads in libconfuse as it was read here. */
#include "config.h"

#include "conf/skim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define DEPTH_MAX 32 /* sections in each other; guards the stack against a hostile file */

enum token { T_END, T_WORD, T_STRING, T_ASSIGN, T_OPEN, T_CLOSE, T_COMMA, T_BAD };

struct scan {
    const char *path;
    const char *text;
    size_t length;
    size_t at;           /* what comes next */
    size_t start;        /* where the last token began */
    int line;
    int start_line;      /* of the last token */
    const reeve_option *keep;
    struct buf *out;
    struct buf *errors;
};

static bool refuse(struct scan *s, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always false, so that callers can `return refuse(...)`. */
static bool refuse(struct scan *s, int line, const char *format, ...)
{
    va_list args;
    buf_printf(s->errors, "%s:%d: ", s->path, line);
    va_start(args, format);
    buf_vprintf(s->errors, format, args);
    va_end(args);
    buf_addc(s->errors, '\n');
    return false;
}

static enum token bad(struct scan *s, int line, const char *sentence)
{
    refuse(s, line, "%s", sentence);
    return T_BAD;
}

/* The byte `ahead` of the next one; 0 behind the end. */
static char peek(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->length ? s->text[s->at + ahead] : '\0';
}

static bool at_end(const struct scan *s)
{
    return s->at >= s->length;
}

static void blank(struct scan *s, size_t from, size_t to)
{
    if (s->out->failed)
        return;
    for (size_t i = from; i < to; i++)
        if (s->out->data[i] != '\n')
            s->out->data[i] = ' ';
}

static void skip_line_comment(struct scan *s)
{
    size_t from = s->at;
    while (!at_end(s) && s->text[s->at] != '\n')
        s->at++;
    blank(s, from, s->at);
}

static bool skip_block_comment(struct scan *s)
{
    size_t from = s->at;
    int line = s->line;
    s->at += 2;
    while (!(peek(s, 0) == '*' && peek(s, 1) == '/')) {
        if (at_end(s))
            return refuse(s, line, "the comment that begins here is not closed; add \"*/\"");
        if (s->text[s->at++] == '\n')
            s->line++;
    }
    s->at += 2;
    blank(s, from, s->at);
    return true;
}

/* Spaces, line ends and comments. False after an error. */
static bool skip_space(struct scan *s)
{
    for (;;) {
        char c = peek(s, 0);
        if (at_end(s))
            return true;
        if (c == '\n') {
            s->line++;
            s->at++;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            blank(s, s->at, s->at + 1);
            s->at++;
        } else if (c == '#' || (c == '/' && peek(s, 1) == '/')) {
            skip_line_comment(s);
        } else if (c == '/' && peek(s, 1) == '*') {
            if (!skip_block_comment(s))
                return false;
        } else {
            return true;
        }
    }
}

/* "${NAME}": libconfuse takes everything up to the next brace, wherever that is. */
static bool skip_variable(struct scan *s)
{
    for (s->at += 2; peek(s, 0) != '}'; s->at++)
        if (at_end(s) || strchr("\n\"'{", peek(s, 0)))
            return refuse(s, s->line, "\"${\" without \"}\"; write ${NAME} for a variable of the "
                                      "environment, or \\${ in double quotes for the text itself");
    s->at++;
    return true;
}

static enum token read_string(struct scan *s, char quote)
{
    s->at++;
    while (peek(s, 0) != quote) {
        char c = peek(s, 0);
        if (at_end(s) || c == '\n') {
            refuse(s, s->start_line, "the text that begins with %c is not closed on its line; add "
                   "%c, or end the line with \\ to go on in the next", quote, quote);
            return T_BAD;
        }
        if (c == '\0')
            return bad(s, s->line, "there is a NUL byte; is this a text file?");
        if (c == '$' && quote == '"' && peek(s, 1) == '{') {
            if (!skip_variable(s))
                return T_BAD;
            continue;
        }
        if (c == '\\' && s->at + 1 < s->length) {
            if (peek(s, 1) == '\n')
                s->line++;
            s->at++;
        }
        s->at++;
    }
    s->at++;
    return T_STRING;
}

static enum token read_word(struct scan *s)
{
    if (peek(s, 0) == '$' && peek(s, 1) == '{')
        return skip_variable(s) ? T_WORD : T_BAD;
    while (!at_end(s) && !strchr(" \t\r\n#\"'={}(),+", peek(s, 0))) {
        char next = peek(s, 1);
        if (peek(s, 0) == '*' || (peek(s, 0) == '/' && (next == '/' || next == '*')))
            return bad(s, s->line, "\"*\" and \"//\" must stand in quotes; write \"...\" around it");
        s->at++;
    }
    if (s->at == s->start) {
        if (peek(s, 0) == '\0')
            return bad(s, s->line, "there is a NUL byte; is this a text file?");
        refuse(s, s->line, "\"%c\" must stand in quotes; write \"...\" around the text",
               peek(s, 0));
        return T_BAD;
    }
    return T_WORD;
}

static enum token next_token(struct scan *s)
{
    if (!skip_space(s))
        return T_BAD;
    s->start = s->at;
    s->start_line = s->line;
    if (at_end(s))
        return T_END;
    switch (peek(s, 0)) {
    case '{':
        s->at++;
        return T_OPEN;
    case '}':
        s->at++;
        return T_CLOSE;
    case ',':
        s->at++;
        return T_COMMA;
    case '=':
        s->at++;
        return T_ASSIGN;
    case '+':
        if (peek(s, 1) != '=')
            return bad(s, s->line, "\"+\" must stand in quotes or be \"+=\"");
        s->at += 2;
        return T_ASSIGN;
    case '"':
    case '\'':
        return read_string(s, peek(s, 0));
    default:
        return read_word(s);
    }
}

/* What a person would call the last token. */
static const char *shown(const struct scan *s, enum token token, char *room, size_t size)
{
    size_t length = s->at - s->start;
    struct buf safe = {0};
    if (token == T_END)
        return "the end of the file";
    text_put_safe(&safe, s->text + s->start, length < 40 ? length : 40);
    buf_printf(&safe, "%s", length < 40 ? "" : "...");
    snprintf(room, size, token == T_STRING ? "%s" : "\"%s\"", buf_text(&safe));
    buf_free(&safe);
    return room;
}

static bool unexpected(struct scan *s, enum token token, const char *name, const char *sentence)
{
    char room[256];
    if (token == T_BAD)
        return false;
    return refuse(s, s->start_line, "%s: %s instead of %s", name, sentence,
                  shown(s, token, room, sizeof(room)));
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

/* After "{" of a list. */
static bool scan_list(struct scan *s, const char *name)
{
    int line = s->start_line;
    for (;;) {
        enum token token = next_token(s);
        if (token == T_CLOSE)
            return true;
        if (token == T_END)
            return refuse(s, line, "%s: the list that begins here is not closed; add \"}\"", name);
        if (token != T_WORD && token != T_STRING)
            return unexpected(s, token, name, "the list needs a value or \"}\"");
        token = next_token(s);
        if (token == T_CLOSE)
            return true;
        if (token == T_END)
            return refuse(s, line, "%s: the list that begins here is not closed; add \"}\"", name);
        if (token != T_COMMA)
            return unexpected(s, token, name, "the list needs \",\" or \"}\"");
    }
}

static bool scan_statements(struct scan *s, const char *inside, int line, int depth);

/* After the name of a statement: the rest of it. */
static bool scan_rest(struct scan *s, const char *name, int depth)
{
    enum token token = next_token(s);
    if (token == T_ASSIGN) {
        token = next_token(s);
        if (token == T_OPEN)
            return scan_list(s, name);
        if (token == T_WORD || token == T_STRING)
            return true;
        return unexpected(s, token, name, "a value must follow \"=\"");
    }
    if (token == T_WORD || token == T_STRING) {
        token = next_token(s);
        if (token != T_OPEN)
            return unexpected(s, token, name, "write \"=\" before a value, or \"{\" after a title");
    }
    if (token != T_OPEN)
        return unexpected(s, token, name, "write \"= VALUE\" or \"{ ... }\" after it");
    if (depth == DEPTH_MAX)
        return refuse(s, s->start_line, "%s: sections stand too deep in each other", name);
    return scan_statements(s, name, s->start_line, depth + 1);
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

static bool scan_statement(struct scan *s, enum token token, int depth)
{
    char name[64], room[256];
    size_t start = s->start, quote = token == T_STRING ? 1 : 0;
    size_t length = s->at - start - 2 * quote;
    if (token != T_WORD && token != T_STRING)
        return refuse(s, s->start_line, "the name of an option should stand here instead of %s",
                      shown(s, token, room, sizeof(room)));
    if (!is_name(s->text + start + quote, length) || length >= sizeof(name))
        return refuse(s, s->start_line, "%s can't be the name of an option; names are made of "
                      "letters, digits and \"_\"", shown(s, token, room, sizeof(room)));
    memcpy(name, s->text + start + quote, length);
    name[length] = '\0';
    if (!scan_rest(s, name, depth))
        return false;
    if (depth == 0 && !kept(s, name))
        blank(s, start, s->at);
    return true;
}

/* Statements up to the "}" of the section `inside`, or at depth 0 to the end of the file. */
static bool scan_statements(struct scan *s, const char *inside, int line, int depth)
{
    for (;;) {
        enum token token = next_token(s);
        if (token == T_BAD)
            return false;
        if (token == T_END && depth == 0)
            return true;
        if (token == T_END)
            return refuse(s, line, "%s: the section that begins here is not closed; add \"}\"",
                          inside);
        if (token == T_CLOSE && depth > 0)
            return true;
        if (token == T_CLOSE)
            return refuse(s, s->start_line, "\"}\" closes nothing; remove it, or look for a "
                          "missing \"{\" above");
        if (!scan_statement(s, token, depth))
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
        blank(&s, 0, 3);
    }
    return scan_statements(&s, "", 1, 0) && !out->failed;
}
