/* The head of an HTTP/1 request, line by line.
 *
 * A line is judged when its end is there, and the limits are tried before the line is; so the same
 * bytes give the same result however they are split. What is found is kept as offsets, since the
 * bytes may move between calls. Nothing here is lenient: a sender that makes such errors is either
 * broken or hopes that the next reader on the way sees another message (request smuggling).
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "parse.h"

enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

static const unsigned char classes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = TOKEN | VALUE | TARGET | HOST,
    ['"'] = VALUE | TARGET,
    ['#'] = TOKEN | VALUE, /* a fragment is never sent */
    ['$'] = TOKEN | VALUE | TARGET | HOST,
    ['%'] = TOKEN | VALUE | TARGET | HOST,
    ['&'] = TOKEN | VALUE | TARGET | HOST,
    ['\''] = TOKEN | VALUE | TARGET | HOST,
    ['('] = VALUE | TARGET | HOST,
    [')'] = VALUE | TARGET | HOST,
    ['*'] = TOKEN | VALUE | TARGET | HOST,
    ['+'] = TOKEN | VALUE | TARGET | HOST,
    [','] = VALUE | TARGET | HOST,
    ['-'] = TOKEN | VALUE | TARGET | HOST,
    ['.'] = TOKEN | VALUE | TARGET | HOST,
    ['/'] = VALUE | TARGET,
    ['0' ... '9'] = TOKEN | VALUE | TARGET | HOST,
    [':'] = VALUE | TARGET | HOST,
    [';'] = VALUE | TARGET | HOST,
    ['<'] = VALUE | TARGET,
    ['='] = VALUE | TARGET | HOST,
    ['>'] = VALUE | TARGET,
    ['?'] = VALUE | TARGET,
    ['@'] = VALUE | TARGET,
    ['A' ... 'Z'] = TOKEN | VALUE | TARGET | HOST,
    ['['] = VALUE | TARGET | HOST,
    ['\\'] = VALUE | TARGET,
    [']'] = VALUE | TARGET | HOST,
    ['^'] = TOKEN | VALUE | TARGET,
    ['_'] = TOKEN | VALUE | TARGET | HOST,
    ['`'] = TOKEN | VALUE | TARGET,
    ['a' ... 'z'] = TOKEN | VALUE | TARGET | HOST,
    ['{'] = VALUE | TARGET,
    ['|'] = TOKEN | VALUE | TARGET,
    ['}'] = VALUE | TARGET,
    ['~'] = TOKEN | VALUE | TARGET | HOST,
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

static size_t span(const char *data, size_t length, unsigned class)
{
    size_t n = 0;
    while (n < length && is(data[n], class))
        n++;
    return n;
}

static bool same(const char *data, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(data, word, length) == 0;
}

static bool bad(struct parse *parse, int status, const char *why)
{
    parse->status = status;
    parse->why = why;
    return false;
}

/* What the fields that rule framing and routing say. One row for each. */

static bool field_host(struct parse *parse, const char *value, struct slice slice)
{
    if (parse->has_host)
        return bad(parse, 400, "Host stands there twice.");
    if (span(value, slice.length, HOST) != slice.length)
        return bad(parse, 400, "Host is not a host name.");
    parse->has_host = true;
    parse->host = slice;
    return true;
}

static bool field_length(struct parse *parse, const char *value, struct slice slice)
{
    if (parse->has_length)
        return bad(parse, 400, "Content-Length stands there twice.");
    uint64_t number = 0;
    for (uint32_t i = 0; i < slice.length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return bad(parse, 400, "Content-Length is not a number.");
        unsigned digit = (unsigned)(value[i] - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    if (slice.length == 0)
        return bad(parse, 400, "Content-Length is empty.");
    parse->has_length = true;
    parse->content_length = number;
    return true;
}

static bool field_coding(struct parse *parse, const char *value, struct slice slice)
{
    if (parse->has_coding)
        return bad(parse, 400, "Transfer-Encoding stands there twice.");
    if (!same(value, slice.length, "chunked")) {
        /* RFC 9112: 6.3 demands 400 where chunked is not the last coding, 6.1 prefers 501 where it
         * is and another one is not understood. */
        bool chunked_last = slice.length > 8 && same(value + slice.length - 7, 7, "chunked") &&
                            strchr(" ,\t", value[slice.length - 8]);
        return bad(parse, chunked_last ? 501 : 400,
                   "The only transfer coding known here is chunked.");
    }
    parse->has_coding = true;
    return true;
}

static bool field_connection(struct parse *parse, const char *value, struct slice slice)
{
    size_t at = 0;
    while (at < slice.length) {
        size_t word = span(value + at, slice.length - at, TOKEN);
        if (same(value + at, word, "close"))
            parse->close = true;
        else if (same(value + at, word, "keep-alive"))
            parse->keep_alive = true;
        at += word > 0 ? word : 1;
    }
    return true;
}

static bool field_expect(struct parse *parse, const char *value, struct slice slice)
{
    if (!same(value, slice.length, "100-continue"))
        return bad(parse, 417, "The only expectation known here is 100-continue.");
    parse->expect = true;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct parse *parse, const char *value, struct slice slice);
} known_fields[] = {
    {"host", field_host},
    {"content-length", field_length},
    {"transfer-encoding", field_coding},
    {"connection", field_connection},
    {"expect", field_expect},
};

static bool field_known(struct parse *parse, const char *data, const struct parse_field *field)
{
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (same(data + field->name.at, field->name.length, known_fields[i].name))
            return known_fields[i].read(parse, data + field->value.at, field->value);
    return true;
}

/* `end` is where the line's CR stands. */
static bool parse_field(struct parse *parse, const char *data, uint32_t end)
{
    uint32_t at = parse->line;
    if (data[at] == ' ' || data[at] == '\t')
        return bad(parse, 400, "A field goes on in the next line.");
    struct parse_field *field = &parse->fields[parse->count];
    uint32_t name = (uint32_t)span(data + at, end - at, TOKEN);
    if (name == 0 || at + name == end || data[at + name] != ':')
        return bad(parse, 400, "A field's name is malformed.");
    field->name = (struct slice){at, name};
    at += name + 1;
    while (at < end && (data[at] == ' ' || data[at] == '\t'))
        at++;
    if (span(data + at, end - at, VALUE) != end - at)
        return bad(parse, 400, "A field's value holds a control character.");
    while (end > at && (data[end - 1] == ' ' || data[end - 1] == '\t'))
        end--;
    field->value = (struct slice){at, end - at};
    parse->count++;
    return field_known(parse, data, field);
}

static bool parse_version(struct parse *parse, const char *text, size_t length)
{
    if (length != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || text[5] < '0' ||
        text[5] > '9' || text[7] < '0' || text[7] > '9')
        return bad(parse, 400, "The request line does not end with the HTTP version.");
    if (text[5] != '1')
        return bad(parse, 505, "This server speaks HTTP/1.0 and HTTP/1.1.");
    parse->minor = (unsigned)(text[7] - '0');
    return true;
}

static bool parse_line(struct parse *parse, const char *data, uint32_t end)
{
    uint32_t at = parse->line;
    uint32_t length = (uint32_t)span(data + at, end - at, TOKEN);
    parse->method = (struct slice){at, length};
    at += length;
    if (length == 0 || at == end || data[at] != ' ')
        return bad(parse, 400, "The method is malformed.");
    at++;
    length = (uint32_t)span(data + at, end - at, TARGET);
    parse->target = (struct slice){at, length};
    at += length;
    if (length == 0 || at == end || data[at] != ' ')
        return bad(parse, 400, "The request target is malformed.");
    at++;
    return parse_version(parse, data + at, end - at);
}

/* The empty line has come: what no single field can tell. */
static bool parse_finish(struct parse *parse)
{
    if (parse->minor >= 1 && !parse->has_host)
        return bad(parse, 400, "Host is missing.");
    if (parse->has_coding && parse->has_length)
        return bad(parse, 400, "Content-Length and Transfer-Encoding exclude each other.");
    if (parse->has_coding && parse->minor == 0)
        return bad(parse, 400, "HTTP/1.0 has no Transfer-Encoding.");
    return true;
}

/* One whole line, with its LF at `lf`. */
static bool parse_one(struct parse *parse, const struct parse_limits *limits, const char *data,
                      uint32_t lf)
{
    if (parse->stage == PARSE_LINE) {
        if (lf + 1 - parse->line > limits->line)
            return bad(parse, 414, "The request line is too long.");
    } else if (lf + 1 - parse->fields_at > limits->header) {
        return bad(parse, 431, "The header is too large.");
    }
    if (lf == parse->line || data[lf - 1] != '\r')
        return bad(parse, 400, "A line does not end with CR LF.");
    if (parse->stage == PARSE_LINE) {
        parse->stage = PARSE_FIELDS;
        parse->fields_at = lf + 1;
        return parse_line(parse, data, lf - 1);
    }
    if (lf - 1 == parse->line) {
        parse->stage = PARSE_END;
        return parse_finish(parse);
    }
    if (parse->count >= limits->count || parse->count >= PARSE_FIELDS_MAX)
        return bad(parse, 431, "There are too many header fields.");
    return parse_field(parse, data, lf - 1);
}

/* The line in hand has no end yet: may it still become a good one? */
static bool parse_rest(struct parse *parse, const struct parse_limits *limits, size_t length)
{
    if (parse->stage == PARSE_LINE && length - parse->line > limits->line)
        return bad(parse, 414, "The request line is too long.");
    if (parse->stage == PARSE_FIELDS && length - parse->fields_at > limits->header)
        return bad(parse, 431, "The header is too large.");
    return true;
}

void parse_start(struct parse *parse)
{
    memset(parse, 0, offsetof(struct parse, fields)); /* fields[] is read up to `count` only */
}

enum parse_result parse_head(struct parse *parse, const struct parse_limits *limits,
                             const char *data, size_t length, size_t *used)
{
    /* At once, lest somebody who speaks TLS to this port waits until the timeout. */
    if (length > 0 && !is(data[0], TOKEN))
        return bad(parse, 400, "This is not an HTTP request."), PARSE_BAD;
    while (parse->stage != PARSE_END) {
        const char *lf = memchr(data + parse->scanned, '\n', length - parse->scanned);
        if (lf == NULL) {
            parse->scanned = (uint32_t)length;
            return parse_rest(parse, limits, length) ? PARSE_MORE : PARSE_BAD;
        }
        if (!parse_one(parse, limits, data, (uint32_t)(lf - data)))
            return PARSE_BAD;
        parse->line = parse->scanned = (uint32_t)(lf - data) + 1;
    }
    *used = parse->line;
    return PARSE_DONE;
}
