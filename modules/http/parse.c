/* The head of an HTTP/1 request, line by line.
 *
 * A line is judged when its end is there, and the limits are tried before the line is; so the same
 * bytes give the same result however they are split. What is found is kept as offsets, since the
 * bytes may move between calls. Nothing here is lenient: a sender that makes such errors is either
 * broken or hopes that the next reader on the way sees another message (request smuggling).
 */
#include "config.h"

#include <string.h>

#include "fields.h"
#include "parse.h"

enum { TOKEN = 1, VALUE = 2, TARGET = 4 };

static const unsigned char classes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = TOKEN | VALUE | TARGET,
    ['"'] = VALUE | TARGET,
    ['#'] = TOKEN | VALUE, /* a fragment is never sent */
    ['$'] = TOKEN | VALUE | TARGET,
    ['%'] = TOKEN | VALUE | TARGET,
    ['&'] = TOKEN | VALUE | TARGET,
    ['\''] = TOKEN | VALUE | TARGET,
    ['('] = VALUE | TARGET,
    [')'] = VALUE | TARGET,
    ['*'] = TOKEN | VALUE | TARGET,
    ['+'] = TOKEN | VALUE | TARGET,
    [','] = VALUE | TARGET,
    ['-'] = TOKEN | VALUE | TARGET,
    ['.'] = TOKEN | VALUE | TARGET,
    ['/'] = VALUE | TARGET,
    ['0' ... '9'] = TOKEN | VALUE | TARGET,
    [':'] = VALUE | TARGET,
    [';'] = VALUE | TARGET,
    ['<'] = VALUE | TARGET,
    ['='] = VALUE | TARGET,
    ['>'] = VALUE | TARGET,
    ['?'] = VALUE | TARGET,
    ['@'] = VALUE | TARGET,
    ['A' ... 'Z'] = TOKEN | VALUE | TARGET,
    ['['] = VALUE | TARGET,
    ['\\'] = VALUE | TARGET,
    [']'] = VALUE | TARGET,
    ['^'] = TOKEN | VALUE | TARGET,
    ['_'] = TOKEN | VALUE | TARGET,
    ['`'] = TOKEN | VALUE | TARGET,
    ['a' ... 'z'] = TOKEN | VALUE | TARGET,
    ['{'] = VALUE | TARGET,
    ['|'] = TOKEN | VALUE | TARGET,
    ['}'] = VALUE | TARGET,
    ['~'] = TOKEN | VALUE | TARGET,
    [0x80 ... 0xff] = VALUE | TARGET, /* UTF-8 as some clients send it, unencoded */
};

static bool is(char c, unsigned class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

bool parse_is_token(char c)
{
    return is(c, TOKEN);
}

bool parse_is_value(char c)
{
    return is(c, VALUE);
}

bool parse_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t span(const char *data, size_t length, unsigned class)
{
    size_t n = 0;
    while (n < length && is(data[n], class))
        n++;
    return n;
}

/* The same of a line whose CR is still to come, which is of no class: nothing to count. */
static uint32_t span_in_line(const char *data, unsigned class)
{
    const char *end = data;
    while (is(*end, class))
        end++;
    return (uint32_t)(end - data);
}

/* May one of these eight bytes be a control character? (x - 0x20) borrows into the top bit of each
 * byte below 0x20; of those above 0x7f, which has the top bit itself, nothing is said. */
static bool has_control(const char *data)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x80 * ones;
    uint64_t eight;
    memcpy(&eight, data, 8);
    uint64_t delete = eight ^ 0x7f * ones; /* a byte of it is 0 where DEL stands */
    uint64_t control = ((eight - 0x20 * ones) & ~eight) | ((delete - ones) & ~delete);
    return (control & tops) != 0;
}

/* Eight bytes at a time, the last ones perhaps twice; one by one only where there may be a control
 * character, which few values hold. */
static bool is_value(const char *data, size_t length)
{
    size_t n = 0;
    while (n + 8 <= length && !has_control(data + n))
        n += 8;
    if (n == length || (n > 0 && n + 8 > length && !has_control(data + length - 8)))
        return true;
    return span(data + n, length - n, VALUE) == length - n;
}

size_t parse_token_length(const char *data, size_t length)
{
    return span(data, length, TOKEN);
}

bool parse_refuse(struct parse *parse, int status, const char *why)
{
    parse->status = status;
    parse->why = why;
    return false;
}

/* `end` is where the line's CR stands. */
static bool parse_field(struct parse *parse, const char *data, uint32_t end)
{
    uint32_t at = parse->line;
    if (parse_is_blank(data[at]))
        return parse_refuse(parse, 400, "A field goes on in the next line.");
    struct parse_field *field = &parse->fields[parse->count];
    uint32_t name = span_in_line(data + at, TOKEN);
    if (name == 0 || at + name == end || data[at + name] != ':')
        return parse_refuse(parse, 400, "A field's name is malformed.");
    field->name = (struct slice){at, name};
    parse->names |= parse_name_bit(data + at, name);
    at += name + 1;
    while (at < end && parse_is_blank(data[at]))
        at++;
    if (!is_value(data + at, end - at))
        return parse_refuse(parse, 400, "A field's value holds a control character.");
    while (end > at && parse_is_blank(data[end - 1]))
        end--;
    field->value = (struct slice){at, end - at};
    parse->count++;
    return fields_read(parse, data, field);
}

static bool parse_version(struct parse *parse, const char *text, size_t length)
{
    if (length != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || text[5] < '0' ||
        text[5] > '9' || text[7] < '0' || text[7] > '9')
        return parse_refuse(parse, 400, "The request line does not end with the HTTP version.");
    if (text[5] != '1')
        return parse_refuse(parse, 505, "This server speaks HTTP/1.0 and HTTP/1.1.");
    parse->minor = (unsigned)(text[7] - '0');
    return true;
}

/* Sets the method if there is one up to `end`. */
static bool parse_method(struct parse *parse, const char *data, size_t end)
{
    uint32_t length = (uint32_t)span(data + parse->line, end - parse->line, TOKEN);
    if (length == 0 || parse->line + length == end || data[parse->line + length] != ' ')
        return false;
    parse->method = (struct slice){parse->line, length};
    return true;
}

static bool parse_line(struct parse *parse, const char *data, uint32_t end)
{
    if (!parse_method(parse, data, end))
        return parse_refuse(parse, 400, "The method is malformed.");
    uint32_t at = parse->method.at + parse->method.length + 1;
    uint32_t length = span_in_line(data + at, TARGET);
    parse->target = (struct slice){at, length};
    at += length;
    if (length == 0 || at == end || data[at] != ' ')
        return parse_refuse(parse, 400, "The request target is malformed.");
    at++;
    return parse_version(parse, data + at, end - at);
}

/* RFC 9112, 3: 501 if the method alone is longer than any, else 414. More than `limit` bytes of the
 * line are there, and no more of them are looked at, however many came. */
static bool line_too_long(struct parse *parse, const char *data, size_t limit)
{
    if (span(data + parse->line, limit, TOKEN) == limit)
        return parse_refuse(parse, 501, "The method is not known here.");
    parse_method(parse, data, parse->line + limit);
    return parse_refuse(parse, 414, "The request line is too long.");
}

/* The empty line has come: what no single field can tell. */
static bool parse_finish(struct parse *parse)
{
    if (parse->minor >= 1 && !parse->has_host)
        return parse_refuse(parse, 400, "Host is missing.");
    if (parse->has_coding && parse->has_length)
        return parse_refuse(parse, 400, "Content-Length and Transfer-Encoding exclude each other.");
    if (parse->has_coding && parse->minor == 0)
        return parse_refuse(parse, 400, "HTTP/1.0 has no Transfer-Encoding.");
    if (parse->has_coding && !parse->chunked) /* RFC 9112, 6.3: where does the body end? */
        return parse_refuse(parse, 400, "The last transfer coding is not chunked.");
    if (parse->foreign_coding)
        return parse_refuse(parse, 501, "The only transfer coding known here is chunked.");
    return true;
}

/* One whole line, with its LF at `lf`. */
static bool parse_one(struct parse *parse, const struct parse_limits *limits, const char *data,
                      uint32_t lf)
{
    if (parse->stage == PARSE_LINE) {
        if (lf + 1 - parse->line > limits->line)
            return line_too_long(parse, data, limits->line);
    } else if (lf + 1 - parse->fields_at > limits->header) {
        return parse_refuse(parse, 431, "The header is too large.");
    }
    if (lf == parse->line || data[lf - 1] != '\r')
        return parse_refuse(parse, 400, "A line does not end with CR LF.");
    if (parse->stage == PARSE_LINE) {
        parse->stage = PARSE_FIELDS;
        parse->fields_at = lf + 1;
        return parse_line(parse, data, lf - 1);
    }
    if (lf - 1 == parse->line) {
        parse->stage = PARSE_END;
        return parse_finish(parse);
    }
    if (parse->count >= limits->count)
        return parse_refuse(parse, 431, "There are too many header fields.");
    return parse_field(parse, data, lf - 1);
}

/* The line in hand has no end yet: may it still become a good one? */
static bool parse_rest(struct parse *parse, const struct parse_limits *limits, const char *data,
                       size_t length)
{
    if (parse->stage == PARSE_LINE && length - parse->line > limits->line)
        return line_too_long(parse, data, limits->line);
    if (parse->stage == PARSE_FIELDS && length - parse->fields_at > limits->header)
        return parse_refuse(parse, 431, "The header is too large.");
    return true;
}

void parse_start(struct parse *parse, struct parse_field *fields, unsigned room)
{
    *parse = (struct parse){.fields = fields, .room = room};
}

static bool parse_is_full(const struct parse *parse, const struct parse_limits *limits)
{
    return parse->stage == PARSE_FIELDS && parse->count == parse->room &&
           parse->count < limits->count;
}

enum parse_result parse_head(struct parse *parse, const struct parse_limits *limits,
                             const char *data, size_t length, size_t *used)
{
    /* At once, lest somebody who speaks TLS to this port waits until the timeout. */
    if (length > 0 && !is(data[0], TOKEN))
        return parse_refuse(parse, 400, "This is not an HTTP request."), PARSE_BAD;
    while (parse->stage != PARSE_END) {
        const char *lf = memchr(data + parse->scanned, '\n', length - parse->scanned);
        if (lf == NULL) {
            parse->scanned = (uint32_t)length;
            return parse_rest(parse, limits, data, length) ? PARSE_MORE : PARSE_BAD;
        }
        if (parse_is_full(parse, limits))
            return PARSE_ROOM;
        if (!parse_one(parse, limits, data, (uint32_t)(lf - data)))
            return PARSE_BAD;
        parse->line = parse->scanned = (uint32_t)(lf - data) + 1;
    }
    *used = parse->line;
    return PARSE_DONE;
}
