/* The chunked coding: whole and split at every byte, the same body. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../modules/http/chunk.h"
#include "unit.h"

static char body[65536];
static size_t body_length;
static size_t taken;

/* Feeds data in pieces of `step` bytes. */
static enum chunk_result decode(const char *data, size_t length, size_t step)
{
    struct chunk chunk = {0};
    enum chunk_result result = CHUNK_MORE;
    body_length = taken = 0;
    while (taken < length && result == CHUNK_MORE) {
        size_t n = length - taken < step ? length - taken : step, at = 0, used, size;
        char *copy = malloc(n);
        const char *piece;
        memcpy(copy, data + taken, n);
        while ((result = chunk_next(&chunk, copy + at, n - at, &used, &piece, &size)) ==
               CHUNK_DATA) {
            ck_assert(size > 0 && piece >= copy + at && piece + size == copy + at + used);
            memcpy(body + body_length, piece, size);
            body_length += size;
            at += used;
        }
        if (result != CHUNK_BAD)
            at += used;
        if (result == CHUNK_MORE)
            ck_assert_uint_eq(at, n);
        taken += at;
        free(copy);
        if (result == CHUNK_BAD)
            break;
    }
    return result;
}

static const struct {
    const char *data, *body;
    enum chunk_result result;
} cases[] = {
    {"5\r\nhello\r\n0\r\n\r\n", "hello", CHUNK_END},
    {"0\r\n\r\n", "", CHUNK_END},
    {"000\r\n\r\n", "", CHUNK_END},
    {"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", CHUNK_END},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", CHUNK_END},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", CHUNK_END},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", CHUNK_END},
    {"1;ext=\"v\"\r\na\r\n0;x\r\n\r\n", "a", CHUNK_END},
    {"1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", "a", CHUNK_END},
    {"5\r\nhel", "hel", CHUNK_MORE},
    {"5", "", CHUNK_MORE},
    {"5\r\nhello\r\n0\r\n\r", "hello", CHUNK_MORE},
    {"\r\n", "", CHUNK_BAD},
    {"g\r\n", "", CHUNK_BAD},
    {"-1\r\n", "", CHUNK_BAD},
    {"0x1\r\na\r\n", "", CHUNK_BAD},
    {" 1\r\na\r\n", "", CHUNK_BAD},
    {"1 \r\na\r\n", "", CHUNK_BAD},
    {"1\na\r\n", "", CHUNK_BAD},
    {"1\r\rna", "", CHUNK_BAD},
    {";x\r\n", "", CHUNK_BAD},
    {"1;a\nb\r\na\r\n", "", CHUNK_BAD},
    {"1\r\nab\r\n", "a", CHUNK_BAD},
    {"1\r\na\n0\r\n", "a", CHUNK_BAD},
    {"1\r\na\rX", "a", CHUNK_BAD},
    {"0\r\n\n", "", CHUNK_BAD},
    {"0\r\n\rX", "", CHUNK_BAD},
    {"0\r\n: y\r\n", "", CHUNK_BAD},
    {"0\r\nX : y\r\n", "", CHUNK_BAD},
    {"0\r\n X: y\r\n", "", CHUNK_BAD},
    {"0\r\nX: y\n\r\n", "", CHUNK_BAD},
    {"0\r\nX\r\n\r\n", "", CHUNK_BAD},
    {"0000000000000001\r\na\r\n", "", CHUNK_BAD},
    {"FFFFFFFFFFFFFFFF\r\n", "", CHUNK_BAD},
};

START_TEST(test_cases)
{
    size_t length = strlen(cases[_i].data);
    for (size_t step = 1; step <= length; step++) {
        ck_assert_int_eq(decode(cases[_i].data, length, step), cases[_i].result);
        ck_assert_uint_eq(body_length, strlen(cases[_i].body));
        ck_assert_int_eq(memcmp(body, cases[_i].body, body_length), 0);
    }
}
END_TEST

/* What follows the body is left alone: it is the next request. */
START_TEST(test_stops_at_the_end)
{
    static const char data[] = "1\r\na\r\n0\r\n\r\nGET /";
    for (size_t step = 1; step < sizeof data; step++) {
        ck_assert_int_eq(decode(data, sizeof data - 1, step), CHUNK_END);
        ck_assert_uint_eq(taken, sizeof data - 1 - 5);
    }
}
END_TEST

/* Extensions and trailers without end are refused. */
START_TEST(test_extra_limit)
{
    char *data = malloc(20000);
    memset(data, 'x', 20000);
    memcpy(data, "1;", 2);
    ck_assert_int_eq(decode(data, 8000, 100), CHUNK_MORE);
    ck_assert_int_eq(decode(data, 20000, 100), CHUNK_BAD);
    memcpy(data, "0\r\n", 3);
    ck_assert_int_eq(decode(data, 20000, 100), CHUNK_BAD);
    memcpy(data, "0\r\nX:", 5);
    ck_assert_int_eq(decode(data, 20000, 100), CHUNK_BAD);
    free(data);
}
END_TEST

UNIT_MAIN("http-chunk", EACH(test_cases, cases), ONCE(test_stops_at_the_end),
          ONCE(test_extra_limit))
