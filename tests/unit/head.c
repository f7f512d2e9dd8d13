/* Heads of requests for the parser; see head.h. */
#include "config.h"

#include "head.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

const struct parse_limits limits = {.line = 64, .header = 200, .count = 4};

struct parse parse;
struct parse_field fields[PARSE_FIELDS_MAX];
static struct parse_field whole_fields[PARSE_FIELDS_MAX];

enum parse_result head_parse(const struct parse_limits *most, const char *data, size_t length,
                             size_t *used)
{
    enum parse_result result = parse_head(&parse, most, data, length);
    if (result == PARSE_DONE)
        *used = parse.line;
    return result;
}

/* A copy of exactly these bytes, so that sanitizers see a read behind them. */
static char *exactly(const char *data, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    if (length > 0)
        memcpy(copy, data, length);
    return copy;
}

enum parse_result head_feed(const char *data, size_t length, size_t *used)
{
    char *copy = exactly(data, length);
    enum parse_result result = head_parse(&limits, copy, length, used);
    free(copy);
    return result;
}

/* The same with the Host line of whatever head was good before, and then with that of this one. */
static void expect_as_seen(const char *data, size_t length, enum parse_result wanted,
                           const struct parse *whole, size_t whole_used)
{
    static struct parse_seen seen;
    for (int again = 0; again < 2; again++) {
        size_t used = whole_used;
        parse_start(&parse, fields, PARSE_FIELDS_MAX);
        parse.seen = &seen;
        ck_assert_msg(head_feed(data, length, &used) == wanted, "seen: %s", data);
        ck_assert_uint_eq(used, whole_used);
        parse.seen = NULL;
        ck_assert_msg(memcmp(&parse, whole, sizeof parse) == 0, "seen: %s", data);
        ck_assert_int_eq(memcmp(fields, whole_fields, parse.count * sizeof *fields), 0);
    }
}

void head_expect(const char *data, size_t length, enum parse_result wanted, int status)
{
    size_t used = 0, first_used;
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    ck_assert_msg(head_feed(data, length, &used) == wanted, "whole: %s", data);
    first_used = used;
    if (wanted == PARSE_BAD)
        ck_assert_msg(parse.status == status, "%d, not %d: %s", parse.status, status, data);
    struct parse whole = parse;
    memcpy(whole_fields, fields, sizeof fields);
    expect_as_seen(data, length, wanted, &whole, first_used);
    for (size_t split = 0; split <= length; split++) {
        parse_start(&parse, fields, PARSE_FIELDS_MAX);
        enum parse_result result = head_feed(data, split, &used);
        if (result == PARSE_MORE)
            result = head_feed(data, length, &used);
        ck_assert_msg(result == wanted, "split at %zu: %s", split, data);
        ck_assert_int_eq(parse.status, whole.status);
        ck_assert_ptr_eq(parse.why, whole.why);
        ck_assert_uint_eq(parse.count, whole.count);
        if (wanted == PARSE_DONE)
            ck_assert_uint_eq(used, first_used);
    }
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    enum parse_result result = PARSE_MORE;
    for (size_t n = 0; n <= length && result == PARSE_MORE; n++)
        result = head_feed(data, n, &used);
    ck_assert_int_eq(result, wanted);
    ck_assert_int_eq(parse.status, whole.status);
    ck_assert_int_eq(memcmp(parse.fields, whole_fields, parse.count * sizeof *parse.fields), 0);
}

void head_good(const char *data)
{
    size_t used;
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    ck_assert_int_eq(head_parse(&limits, data, strlen(data), &used), PARSE_DONE);
}
