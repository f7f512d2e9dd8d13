/* The tokens of a configuration's text; see scan.h. Any process and thread. What must hold:
 * whatever libconfuse could read as another token than we do is refused. */
#include "config.h"

#include "conf/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

bool scan_refuse(struct scan *s, int line, const char *format, ...)
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
    scan_refuse(s, line, "%s", sentence);
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

void scan_blank(struct scan *s, size_t from, size_t to)
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
    scan_blank(s, from, s->at);
}

static bool skip_block_comment(struct scan *s)
{
    size_t from = s->at;
    int line = s->line;
    s->at += 2;
    while (!(peek(s, 0) == '*' && peek(s, 1) == '/')) {
        if (at_end(s))
            return scan_refuse(s, line, "the comment that begins here is not closed; add \"*/\"");
        if (s->text[s->at++] == '\n')
            s->line++;
    }
    s->at += 2;
    scan_blank(s, from, s->at);
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
            scan_blank(s, s->at, s->at + 1);
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
            return scan_refuse(s, s->line, "\"${\" without \"}\"; write ${NAME} for a variable of "
                                           "the environment, or \\${ in double quotes for the text "
                                           "itself");
    s->at++;
    return true;
}

static enum token read_string(struct scan *s, char quote)
{
    s->at++;
    while (peek(s, 0) != quote) {
        char c = peek(s, 0);
        if (at_end(s) || c == '\n') {
            scan_refuse(s, s->start_line, "the text that begins with %c is not closed on its line; "
                        "add %c, or end the line with \\ to go on in the next", quote, quote);
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
            return bad(s, s->line,
                       "\"*\" and \"//\" must stand in quotes; write \"...\" around it");
        s->at++;
    }
    if (s->at == s->start) {
        if (peek(s, 0) == '\0')
            return bad(s, s->line, "there is a NUL byte; is this a text file?");
        scan_refuse(s, s->line, "\"%c\" must stand in quotes; write \"...\" around the text",
                    peek(s, 0));
        return T_BAD;
    }
    return T_WORD;
}

enum token scan_next(struct scan *s)
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

const char *scan_shown(const struct scan *s, enum token token, char *room, size_t size)
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
