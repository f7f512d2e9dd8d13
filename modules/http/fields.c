/* The header fields that rule framing and routing: what each of them says, into struct parse.
 *
 * Called by parse.c for each field as it comes, in the loop thread; pure as that is. What a single
 * field cannot tell is judged when the head is complete. Where the RFC lets a server choose between
 * repairing and refusing, it refuses.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "fields.h"
#include "path.h"

static bool same(const char *data, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(data, word, length) == 0;
}

/* The next element of a comma-separated list (RFC 9110, 5.6.1), without the white space around it;
 * it may be empty. False: there is none left. */
static bool next_item(const char *value, uint32_t length, uint32_t *at, struct slice *item)
{
    if (*at > length)
        return false;
    const char *comma = memchr(value + *at, ',', length - *at);
    uint32_t start = *at, end = comma != NULL ? (uint32_t)(comma - value) : length;
    *at = end + 1;
    while (start < end && parse_is_blank(value[start]))
        start++;
    while (end > start && parse_is_blank(value[end - 1]))
        end--;
    *item = (struct slice){start, end - start};
    return true;
}

/* What the fields that rule framing and routing say. One row for each. */

static bool field_host(struct parse *parse, const char *value, struct slice slice)
{
    size_t name;
    if (parse->has_host)
        return parse_refuse(parse, 400, "Host stands there twice.");
    if (!host_name(value, slice.length, &name))
        return parse_refuse(parse, 400, "Host is not a host name.");
    parse->has_host = true;
    parse->host = slice;
    parse->host_name = (uint32_t)name;
    return true;
}

/* "5, 5" and a second line that says the same may be refused or taken as one (RFC 9110, 8.6): who
 * sends that has joined two messages' opinions, so it is refused. */
static bool field_length(struct parse *parse, const char *value, struct slice slice)
{
    if (parse->has_length)
        return parse_refuse(parse, 400, "Content-Length stands there twice.");
    uint64_t number = 0;
    for (uint32_t i = 0; i < slice.length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return parse_refuse(parse, 400, "Content-Length is not a number.");
        unsigned digit = (unsigned)(value[i] - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    if (slice.length == 0)
        return parse_refuse(parse, 400, "Content-Length is empty.");
    parse->has_length = true;
    parse->content_length = number;
    return true;
}

/* The list goes on over several lines. What is wrong with its grammar, or with chunked, loses the
 * framing at once; whether all codings are known is judged when the whole list is there. */
static bool field_coding(struct parse *parse, const char *value, struct slice slice)
{
    struct slice item;
    for (uint32_t at = 0; next_item(value, slice.length, &at, &item);) {
        const char *text = value + item.at;
        size_t word = parse_token_length(text, item.length), next = word;
        while (next < item.length && parse_is_blank(text[next]))
            next++;
        if (word == 0 || (next < item.length && text[next] != ';'))
            return parse_refuse(parse, 400, "Transfer-Encoding is malformed.");
        if (parse->chunked)
            return parse_refuse(parse, 400, "chunked is not the last transfer coding.");
        if (!same(text, word, "chunked"))
            parse->foreign_coding = true;
        else if (word < item.length)
            return parse_refuse(parse, 400, "The transfer coding chunked has no parameters.");
        else
            parse->chunked = true;
    }
    parse->has_coding = true;
    return true;
}

static bool field_connection(struct parse *parse, const char *value, struct slice slice)
{
    size_t at = 0;
    if (same(value, slice.length, "keep-alive")) { /* as browsers write it */
        parse->keep_alive = true;
        return true;
    }
    while (at < slice.length) {
        size_t word = parse_token_length(value + at, slice.length - at);
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
    if (parse->minor == 0) /* RFC 9110, 10.1.1: HTTP/1.0 knows no expectations */
        return true;
    struct slice item;
    for (uint32_t at = 0; next_item(value, slice.length, &at, &item);) {
        if (same(value + item.at, item.length, "100-continue"))
            parse->expect = true;
        else if (item.length > 0)
            parse->unmet = true;
    }
    return true;
}

/* RFC 9110, 13.1 and 14.2. */
static bool field_condition(struct parse *parse, const char *value, struct slice slice)
{
    (void)value;
    (void)slice;
    parse->conditional = true;
    return true;
}

static const struct {
    const char *name; /* in lower case */
    size_t length;
    bool (*read)(struct parse *parse, const char *value, struct slice slice);
} known_fields[] = {
#define X(text, function) {.name = (text), .length = sizeof(text) - 1, .read = (function)},
    FIELDS(X)
#undef X
};

static inline uint32_t four_lower(const char *text)
{
    uint32_t four;
    memcpy(&four, text, 4);
    return four | 0x20202020;
}

/* All known names have four characters at least; the last four are perhaps compared twice. Of a
 * token only a letter becomes another one by this bit, or a character that no name here has. */
static bool is_name(const char *text, const char *name, size_t length)
{
    for (size_t at = 0; at + 4 < length; at += 4)
        if (four_lower(text + at) != four_lower(name + at))
            return false;
    return four_lower(text + length - 4) == four_lower(name + length - 4);
}

bool fields_read(struct parse *parse, const char *data, const struct parse_field *field)
{
    const char *name = data + field->name.at;
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (field->name.length == known_fields[i].length &&
            is_name(name, known_fields[i].name, field->name.length))
            return known_fields[i].read(parse, data + field->value.at, field->value);
    return true;
}
