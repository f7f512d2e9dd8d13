/* What is read of the head of a request, within which limits, and how it is come by. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "unit.h"

START_TEST(rfc9110_10_1_1_expect)
{
    static const struct {
        const char *data;
        bool expect, unmet;
    } rows[] = {
        {POST "Expect: 100-Continue\r\n\r\n", true, false},
        {POST "Expect: 100-continue,100-continue\r\n\r\n", true, false},
        {POST "Expect:\r\n\r\n", false, false},
        {POST "Expect: x\r\n\r\n", false, true},
        {POST "Expect: x, 100-continue\r\n\r\n", true, true},
        {POST "Expect: 100-continue\r\nExpect: x\r\n\r\n", true, true},
        {POST "Expect: 100-continue;x\r\n\r\n", false, true},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", false, false},
        {"POST / HTTP/1.0\r\nExpect: x\r\n\r\n", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        head_good(rows[i].data);
        ck_assert_msg(parse.expect == rows[i].expect && parse.unmet == rows[i].unmet, "%s",
                      rows[i].data);
    }
}
END_TEST

START_TEST(rfc9112_9_1_connection_options)
{
    static const struct {
        const char *data;
        bool close, keep_alive;
    } rows[] = {
        {GET "\r\n", false, false},
        {GET "Connection: close\r\n\r\n", true, false},
        {GET "Connection: x ,\tCLOSE\r\n\r\n", true, false},
        {GET "Connection: x\r\nConnection: Keep-Alive\r\n\r\n", false, true},
        {GET "Connection: keep-alive, close\r\n\r\n", true, true},
        {GET "Connection: closed, not-close\r\n\r\n", false, false},
        {GET "Proxy-Connection: close\r\n\r\n", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        head_good(rows[i].data);
        ck_assert_msg(parse.close == rows[i].close && parse.keep_alive == rows[i].keep_alive, "%s",
                      rows[i].data);
    }
}
END_TEST

/* A head that is refused still says that it was a HEAD, if it got so far (RFC 9110, 9.3.2). */
START_TEST(rfc9110_9_3_2_method_of_a_bad_head)
{
    static const struct {
        const char *data;
        size_t length;
    } rows[] = {
        {"HEAD / HTTP/1.1\r\n\r\n", 4},
        {"HEAD  HTTP/1.1\r\n\r\n", 4},
        {"HEAD /12345678901234567890123456789012345678901234567890123456789012345678901", 4},
        {"HEAD\r\n\r\n", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        head_expect(rows[i].data, strlen(rows[i].data), PARSE_BAD, i == 2 ? 414 : 400);
        ck_assert_uint_eq(parse.method.length, rows[i].length);
    }
}
END_TEST

/* A header of exactly the limit is good, one byte more is 431, complete or not. */
START_TEST(rfc9110_5_4_size_of_all_fields)
{
    char data[512];
    for (int extra = 0; extra <= 1; extra++) {
        int n = snprintf(data, sizeof data, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
        size_t fill = 200 - strlen("Host: a\r\nX: \r\n\r\n") + (size_t)extra;
        memset(data + n, 'x', fill);
        strcpy(data + n + fill, "\r\n\r\n");
        head_expect(data, strlen(data), extra == 0 ? PARSE_DONE : PARSE_BAD, 431);
    }
    memset(data, 'x', sizeof data);
    memcpy(data, "GET / HTTP/1.1\r\nHost: ", 22);
    head_expect(data, sizeof data, PARSE_BAD, 431);
    head_expect(data, 16 + 200, PARSE_MORE, 0); /* 16: the request line */
    head_expect(data, 16 + 201, PARSE_BAD, 431);
}
END_TEST

START_TEST(rfc9112_3_line_limit)
{
    char data[256];
    for (size_t length = 63; length <= 66; length++) {
        memset(data, 'x', sizeof data);
        memcpy(data, "GET /", 5);
        size_t tail = strlen(" HTTP/1.1\r\n");
        strcpy(data + length - tail, " HTTP/1.1\r\nHost: a\r\n\r\n");
        head_expect(data, strlen(data), length <= 64 ? PARSE_DONE : PARSE_BAD, 414);
    }
}
END_TEST

static bool is(const char *data, struct slice slice, const char *text)
{
    return slice.length == strlen(text) && memcmp(data + slice.at, text, slice.length) == 0;
}

START_TEST(test_slices)
{
    static const char data[] = "POST /a?b HTTP/1.1\r\nHost: h:1\r\nX-Y: \t v w \t\r\n"
                               "connection: foo ,Close\r\nContent-Length: 12\r\n\r\nGET";
    size_t used;
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    ck_assert_int_eq(head_parse(&limits, data, sizeof data - 1, &used), PARSE_DONE);
    ck_assert_uint_eq(used, sizeof data - 1 - 3);
    ck_assert(is(data, parse.method, "POST"));
    ck_assert(is(data, parse.target, "/a?b"));
    ck_assert(is(data, parse.host, "h:1"));
    ck_assert_uint_eq(parse.minor, 1);
    ck_assert_uint_eq(parse.count, 4);
    ck_assert(is(data, parse.fields[1].name, "X-Y"));
    ck_assert(is(data, parse.fields[1].value, "v w"));
    ck_assert(parse.close && !parse.keep_alive && !parse.expect);
    ck_assert_uint_eq(parse.content_length, 12);
}
END_TEST

static uint64_t content_length(const char *number)
{
    char data[200];
    size_t used;
    int n = snprintf(data, sizeof data, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n",
                     number);
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    ck_assert_int_eq(head_parse(&limits, data, (size_t)n, &used), PARSE_DONE);
    return parse.content_length;
}

START_TEST(rfc9110_8_6_large_numbers)
{
    ck_assert(content_length("18446744073709551614") == UINT64_MAX - 1);
    ck_assert(content_length("18446744073709551615") == UINT64_MAX);
    ck_assert(content_length("18446744073709551616") == UINT64_MAX);
    ck_assert(content_length("18446744073709551620") == UINT64_MAX);
    ck_assert(content_length("99999999999999999999999999999999") == UINT64_MAX);
    ck_assert(content_length("00000000000000000000000000000007") == 7);
}
END_TEST

/* A head that comes byte by byte is looked at once: what was scanned is not scanned again. */
START_TEST(test_slow_sender_is_cheap)
{
    static const struct parse_limits wide = {.line = 65536, .header = 131072, .count = 4};
    enum { SIZE = 60000 };
    char *data = malloc(SIZE);
    memset(data, 'x', SIZE);
    memcpy(data, "GET /", 5);
    size_t used;
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    for (size_t n = 0; n < SIZE; n++) {
        ck_assert_int_eq(head_parse(&wide, data, n, &used), PARSE_MORE);
        ck_assert_uint_eq(parse.scanned, n);
    }
    free(data);
}
END_TEST

/* Targets and values are looked through many bytes at a time: whatever stands in whatever place is
 * judged by itself. */
static void place_each(const char *before, const char *behind, bool (*good)(int c))
{
    for (size_t place = 0; place < 36; place++)
        for (int c = 0; c < 256; c++) {
            char head[128];
            size_t used, length = strlen(before);
            memcpy(head, before, length);
            memset(head + length, 'a', place);
            length += place;
            head[length++] = (char)c;
            memcpy(head + length, behind, strlen(behind));
            length += strlen(behind);
            parse_start(&parse, fields, PARSE_FIELDS_MAX);
            ck_assert_msg(head_feed(head, length, &used) == (good(c) ? PARSE_DONE : PARSE_BAD),
                          "%d behind %zu others", c, place);
        }
}

static bool is_of_target(int c)
{
    return c > ' ' && c != '#' && c != 0x7f;
}

static bool is_of_value(int c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

START_TEST(test_every_character_in_every_place)
{
    place_each("GET /", "aa HTTP/1.1\r\nHost: a\r\n\r\n", is_of_target);
    place_each("GET / HTTP/1.1\r\nHost: a\r\nX: a", "aa\r\n\r\n", is_of_value);
}
END_TEST

/* A Host line that is known by its bytes is still the only one, and counts for all limits. */
START_TEST(test_host_seen)
{
    static const struct {
        const char *data;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 0},
        {"GET / HTTP/1.0\r\nX: 1\r\nHost: a.example\r\nY: 2\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a.example\r\nhost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a.exampl\xc3\r\n\r\n", 400},
    };
    struct parse_seen seen = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t used = 0;
        parse_start(&parse, fields, PARSE_FIELDS_MAX);
        parse.seen = &seen;
        enum parse_result result = head_feed(rows[i].data, strlen(rows[i].data), &used);
        ck_assert_int_eq(result, rows[i].status == 0 ? PARSE_DONE : PARSE_BAD);
        ck_assert_int_eq(parse.status, rows[i].status);
        ck_assert_uint_eq(seen.length, strlen("Host: a.example\r\n"));
        if (result == PARSE_DONE)
            ck_assert(is(rows[i].data, parse.host, "a.example"));
    }
    const struct parse_limits tight = {.line = 100, .header = 18, .count = 8};
    size_t used = 0; /* the line fits, the empty one does not */
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    parse.seen = &seen;
    ck_assert_int_eq(head_parse(&tight, rows[0].data, strlen(rows[0].data), &used), PARSE_BAD);
    ck_assert_int_eq(parse.status, 431);
}
END_TEST

static bool is_plain(const char *target)
{
    char data[200];
    size_t used;
    int n = snprintf(data, sizeof data, "GET %s HTTP/1.1\r\nHost: a.example\r\n\r\n", target);
    parse_start(&parse, fields, PARSE_FIELDS_MAX);
    ck_assert_int_eq(head_feed(data, (size_t)n, &used), PARSE_DONE);
    ck_assert(is(data, parse.target, target));
    return parse.plain;
}

/* A path with nothing to decode or to resolve is known as one, wherever the knot would be. */
START_TEST(test_plain_path)
{
    static const char *const plain[] = {"/", "/a", "/a.b/c", "/a/", "/\"{}|\\^`~a", "/a./b.",
                                        "/0123456789abcde", "/0123456789abcdef",
                                        "/0123456789abcdef/012345678901234"};
    static const char *const knots[] = {"%41", "?", "?a", "//", "/./", "/.", "/../", "/..", "/.a",
                                        "%00", "\x80", "\xff"};
    ck_assert(!is_plain("*") && !is_plain("http://a/b") && !is_plain("//") && !is_plain("/?"));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        ck_assert_msg(is_plain(plain[i]), "%s", plain[i]);
    for (size_t i = 0; i < sizeof knots / sizeof *knots; i++) {
        for (int before = 0; before < 35; before++) {
            char target[60];
            snprintf(target, sizeof target, "/%.*s%s%s", before,
                     "abcdefghijklmnopqrstuvwxyz0123456789", knots[i], before % 2 > 0 ? "/b" : "");
            ck_assert_msg(!is_plain(target), "%s", target);
        }
    }
}
END_TEST

/* The caller gives room for fields as they come, and never more than the limit allows. */
START_TEST(test_room_by_steps)
{
    static const char data[] = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
    size_t used = 0;
    unsigned steps = 0;
    parse_start(&parse, NULL, 0);
    enum parse_result result;
    while ((result = head_parse(&limits, data, sizeof data - 1, &used)) == PARSE_ROOM) {
        ck_assert_uint_eq(parse.count, steps);
        parse.fields = fields;
        parse.room = ++steps;
    }
    ck_assert_int_eq(result, PARSE_DONE);
    ck_assert_uint_eq(used, sizeof data - 1);
    ck_assert_uint_eq(steps, limits.count);
    ck_assert(is(data, parse.fields[3].value, "3"));
}
END_TEST

UNIT_MAIN("http-parsed", ONCE(rfc9112_3_line_limit), ONCE(rfc9112_9_1_connection_options),
          ONCE(rfc9110_5_4_size_of_all_fields), ONCE(rfc9110_8_6_large_numbers),
          ONCE(rfc9110_9_3_2_method_of_a_bad_head), ONCE(rfc9110_10_1_1_expect), ONCE(test_slices),
          ONCE(test_every_character_in_every_place), ONCE(test_slow_sender_is_cheap),
          ONCE(test_host_seen), ONCE(test_plain_path), ONCE(test_room_by_steps))
