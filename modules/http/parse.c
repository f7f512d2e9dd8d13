/* The head of an HTTP/1 request, line by line.
 *
 * A line is judged when its end is there, and the limits are tried before the line is; so the same
 * bytes give the same result however they are split. What is found is kept as offsets, since the
 * bytes may move between calls. Nothing here is lenient: a sender that makes such errors is either
 * broken or hopes that the next reader on the way sees another message (request smuggling).
 */
#include "config.h"

#include <string.h>

#include "../word.h"
#include "chars.h"
#include "fields.h"
#include "parse.h"
#include "scan.h"

/* Where in a line its class ends: its CR is still to come, which is of no class, so that there is
 * nothing to count. */
static inline __attribute__((always_inline)) const char *end_in_line(const char *at, unsigned class)
{
    for (;; at += 4) {
        if (!chars_is(at[0], class))
            return at;
        if (!chars_is(at[1], class))
            return at + 1;
        if (!chars_is(at[2], class))
            return at + 2;
        if (!chars_is(at[3], class))
            return at + 3;
    }
}

static inline const char *name_end(const char *at)
{
    return end_in_line(at, CHARS_TOKEN);
}

/* Targets and values may be long: many bytes at a time as long as they are ordinary. No byte from
 * `end` on is of one. */
static const char *target_end(const char *at, const char *end)
{
    for (unsigned n = SCAN_BYTES; n == SCAN_BYTES && end - at >= SCAN_BYTES; at += n)
        n = scan_target(at);
    return end_in_line(at, CHARS_TARGET);
}

/* Where what is surely a plain path ends: a target that ends there is one. */
static inline const char *path_end(const char *at, const char *end)
{
    if (*at != '/')
        return at;
    for (unsigned n = SCAN_BYTES; n == SCAN_BYTES && end - at > SCAN_BYTES; at += n)
        n = scan_path(at);
    return at;
}

static const char *value_end(const char *at, const char *end)
{
    for (unsigned n = SCAN_BYTES; n == SCAN_BYTES && end - at >= SCAN_BYTES; at += n)
        n = scan_value(at);
    return end_in_line(at, CHARS_VALUE);
}

bool parse_refuse(struct parse *parse, int status, const char *why)
{
    parse->status = status;
    parse->why = why;
    return false;
}

static inline const char *skip_blanks(const char *at)
{
    while ((unsigned char)*at <= ' ' && parse_is_blank(*at))
        at++;
    return at;
}

/* Keeps a field whose value lies in [value, end), perhaps with white space behind it. */
static inline bool keep_field(struct parse *parse, struct parse_field *field, const char *data,
                              const char *name, uint32_t name_length, const char *value,
                              const char *end)
{
    uint64_t bit = parse_name_bit(name, name_length);
    while ((unsigned char)end[-1] <= ' ' && end > value && parse_is_blank(end[-1]))
        end--;
    field->name = (struct slice){(uint32_t)(name - data), name_length};
    field->value = (struct slice){(uint32_t)(value - data), (uint32_t)(end - value)};
    parse->names |= bit;
    return (bit & fields_bits()) == 0 || fields_read(parse, data, field);
}

/* `end` is where the line's CR stands. */
static bool parse_field(struct parse *parse, const char *data, const char *end)
{
    const char *at = data + parse->line, *name = at;
    if (parse_is_blank(*at))
        return parse_refuse(parse, 400, "A field goes on in the next line.");
    at = name_end(at);
    uint32_t name_length = (uint32_t)(at - name);
    if (name_length == 0 || *at != ':')
        return parse_refuse(parse, 400, "A field's name is malformed.");
    at = skip_blanks(at + 1);
    if (value_end(at, end) != end)
        return parse_refuse(parse, 400, "A field's value holds a control character.");
    return keep_field(parse, &parse->fields[parse->count++], data, name, name_length, at, end);
}

/* What no single field can tell. Not inlined: few heads need it. */
static __attribute__((noinline)) bool judge_framing(struct parse *parse)
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

/* The empty line has come. */
static inline bool parse_finish(struct parse *parse)
{
    return (parse->has_host && !parse->has_coding) || judge_framing(parse);
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

/* `end` is where the line's CR stands. */
static bool parse_line(struct parse *parse, const char *data, const char *end)
{
    const char *method = data + parse->line, *at = name_end(method);
    if (at == method || *at != ' ')
        return parse_refuse(parse, 400, "The method is malformed.");
    parse->method = (struct slice){parse->line, (uint32_t)(at - method)};
    const char *target = ++at;
    at = target_end(target, end);
    parse->target = (struct slice){(uint32_t)(target - data), (uint32_t)(at - target)};
    if (at == target || *at != ' ')
        return parse_refuse(parse, 400, "The request target is malformed.");
    at++;
    return parse_version(parse, at, (size_t)(end - at));
}

/* RFC 9112, 3: 501 if the method alone is longer than any, else 414. More than `limit` bytes of the
 * line are there, and no more of them are looked at, however many came. */
static bool line_too_long(struct parse *parse, const char *data, size_t limit)
{
    size_t method = chars_span(data + parse->line, limit, CHARS_TOKEN);
    if (method == limit)
        return parse_refuse(parse, 501, "The method is not known here.");
    if (method > 0 && data[parse->line + method] == ' ')
        parse->method = (struct slice){parse->line, (uint32_t)method};
    return parse_refuse(parse, 414, "The request line is too long.");
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
        return parse_line(parse, data, data + lf - 1);
    }
    if (lf - 1 == parse->line) {
        parse->stage = PARSE_END;
        return parse_finish(parse);
    }
    if (parse->count >= limits->count)
        return parse_refuse(parse, 431, "There are too many header fields.");
    return parse_field(parse, data, data + lf - 1);
}

/* A request line as nearly all are, in one pass that need not know where it ends; `end` is behind
 * an LF. Where the next line begins, or NULL: what is not like that is left to parse_one(). */
static inline __attribute__((always_inline)) const char *
plain_line(struct parse *parse, const struct parse_limits *limits, const char *data,
           const char *end)
{
    static const char version[] = " HTTP/1.1\r\n";
    const size_t length = sizeof version - 1;
    const char *at = data + sizeof "GET" - 1;
    if (end - data < 4 || memcmp(data, "GET ", 4) != 0) {
        at = name_end(data);
        if (at == data || *at != ' ')
            return NULL;
    }
    const uint32_t method_length = (uint32_t)(at - data);
    const char *target = at + 1;
    at = path_end(target, end);
    const bool plain = *at == ' ';
    if (!plain)
        at = target_end(at, end);
    const char *next = at + length;
    if (at == target || (size_t)(end - at) < length || memcmp(at, version, length) != 0 ||
        (size_t)(next - data) > limits->line)
        return NULL;
    parse->method = (struct slice){0, method_length};
    parse->target = (struct slice){(uint32_t)(target - data), (uint32_t)(at - target)};
    parse->minor = 1;
    parse->plain = plain;
    parse->stage = PARSE_FIELDS;
    parse->fields_at = (uint32_t)(next - data);
    return next;
}

/* [line, end) begins with that Host once more? */
static inline bool is_seen(const struct parse_seen *seen, const char *line, const char *end)
{
    return seen != NULL && seen->length > 0 && (size_t)(end - line) >= seen->length &&
           word_same(line, seen->line, seen->length);
}

static inline void take_seen(struct parse *parse, struct parse_field *field, uint32_t line)
{
    const struct parse_seen *seen = parse->seen;
    field->name = (struct slice){line, sizeof "Host" - 1};
    field->value = parse->host = (struct slice){line + seen->value.at, seen->value.length};
    parse->host_name = seen->name;
    parse->has_host = true;
    parse->names |= parse_name_bit("Host", sizeof "Host" - 1);
}

/* [line, end) is the field that has just told the host. Not inlined: it comes again and again. */
static __attribute__((noinline)) void keep_seen(const struct parse *parse, const char *data,
                                                const char *line, const char *end)
{
    struct parse_seen *seen = parse->seen;
    size_t length = (size_t)(end - line);
    if (seen == NULL || length > sizeof seen->line)
        return;
    *seen = (struct parse_seen){(uint32_t)length,
                                {parse->host.at - (uint32_t)(line - data), parse->host.length},
                                parse->host_name, ""};
    memcpy(seen->line, line, length);
}

/* Whole fields likewise, from `line` on, as long as there is room. A line that ends behind `stop` is
 * not for here to judge. What follows them, or NULL: the head is bad. */
static __attribute__((noinline)) const char *
plain_fields(struct parse *parse, const char *data, const char *line, const char *end,
             const char *stop, const struct parse_field *full)
{
    struct parse_field *field = parse->fields + parse->count;
    bool good = true;
    while (field < full && line < stop && good) {
        const char *colon = name_end(line);
        if (colon == line || *colon != ':')
            break;
        const char *value = skip_blanks(colon + 1), *cr = value_end(value, end);
        if (*cr != '\r' || cr[1] != '\n' || cr + 2 > stop)
            break;
        good = keep_field(parse, field, data, line, (uint32_t)(colon - line), value, cr);
        if (parse->has_host && field == parse->fields)
            keep_seen(parse, data, line, cr + 2);
        line = cr + 2;
        field++;
    }
    parse->count = (unsigned)(field - parse->fields);
    return good ? line : NULL;
}

/* And the empty line. Nearly all clients send Host first. False: the head is bad. */
static inline __attribute__((always_inline)) bool
plain_header(struct parse *parse, const struct parse_limits *limits, const char *data,
             const char *line, const char *end)
{
    const size_t length = (size_t)(end - data), most = parse->fields_at + limits->header;
    const char *stop = length < most ? end : data + most;
    const unsigned room = parse->room < limits->count ? parse->room : limits->count;
    if (parse->count == 0 && room > 0 && is_seen(parse->seen, line, stop)) {
        take_seen(parse, parse->fields, (uint32_t)(line - data));
        line += parse->seen->length;
        parse->count = 1;
    }
    if (line < stop && *line != '\r') {
        line = plain_fields(parse, data, line, end, stop, parse->fields + room);
        if (line == NULL)
            return false;
    }
    const bool over = stop - line >= 2 && line[0] == '\r' && line[1] == '\n';
    if (over) {
        line += 2;
        parse->stage = PARSE_END;
    }
    parse->line = parse->scanned = (uint32_t)(line - data);
    return !over || parse_finish(parse);
}

/* Not inlined: few heads come in several parts, or have more fields than there was room for. */
static __attribute__((noinline)) bool more_header(struct parse *parse,
                                                  const struct parse_limits *limits,
                                                  const char *data, const char *end)
{
    return plain_header(parse, limits, data, data + parse->line, end);
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

static bool parse_is_full(const struct parse *parse, const struct parse_limits *limits)
{
    return parse->stage == PARSE_FIELDS && parse->count == parse->room &&
           parse->count < limits->count;
}

/* What is left of the head, line by line where it is not plain. */
static __attribute__((noinline)) enum parse_result
parse_lines(struct parse *parse, const struct parse_limits *limits, const char *data, size_t length)
{
    const char *end = data + length;
    const bool whole = length > 0 && end[-1] == '\n';
    /* At once, lest somebody who speaks TLS to this port waits until the timeout. */
    if (length > 0 && !chars_is(data[0], CHARS_TOKEN))
        return parse_refuse(parse, 400, "This is not an HTTP request."), PARSE_BAD;
    while (parse->stage != PARSE_END) {
        if (whole && parse->stage == PARSE_FIELDS && parse->scanned == parse->line &&
            parse->fields != NULL && !more_header(parse, limits, data, end))
            return PARSE_BAD;
        if (parse->stage == PARSE_END)
            break;
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
    return PARSE_DONE;
}

enum parse_result parse_head(struct parse *parse, const struct parse_limits *limits,
                             const char *data, size_t length)
{
    const char *end = data + length;
    const bool fresh = length > 0 && end[-1] == '\n' && parse->scanned == 0;
    const char *next = fresh ? plain_line(parse, limits, data, end) : NULL;
    if (next != NULL && parse->fields != NULL) {
        if (!plain_header(parse, limits, data, next, end))
            return PARSE_BAD;
        if (parse->stage == PARSE_END)
            return PARSE_DONE;
    } else if (next != NULL) {
        parse->line = parse->scanned = parse->fields_at;
    }
    return parse_lines(parse, limits, data, length);
}
