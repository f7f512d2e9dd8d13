/* The chunked coding: whole and split at every byte, the same body. */
#include "config.h"

#include <stdio.h>
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

struct row {
    const char *data, *body;
    enum chunk_result result;
};

static void judge(const struct row *row)
{
    size_t length = strlen(row->data);
    for (size_t step = 1; step <= length; step++) {
        ck_assert_msg(decode(row->data, length, step) == row->result, "%s", row->data);
        ck_assert_uint_eq(body_length, strlen(row->body));
        ck_assert_int_eq(memcmp(body, row->body, body_length), 0);
    }
}

/* A test for each row of NAME_rows. */
#define JUDGE(name)                                                                                \
    START_TEST(name)                                                                               \
    {                                                                                              \
        judge(&name##_rows[_i]);                                                                   \
    }                                                                                              \
    END_TEST
#define ROWS(name) EACH(name, name##_rows)

static const struct row rfc9112_7_1_chunks_rows[] = {
    {"5\r\nhello\r\n0\r\n\r\n", "hello", CHUNK_END},
    {"0\r\n\r\n", "", CHUNK_END},
    {"000\r\n\r\n", "", CHUNK_END},
    {"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", CHUNK_END},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", CHUNK_END},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", CHUNK_END},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", CHUNK_END},
    {"5\r\nhel", "hel", CHUNK_MORE},
    {"5", "", CHUNK_MORE},
    {"5\r\nhello\r\n0\r\n\r", "hello", CHUNK_MORE},
    {"1\r\nab\r\n", "a", CHUNK_BAD},
    {"1\r\na\n0\r\n", "a", CHUNK_BAD},
    {"1\r\na\rX", "a", CHUNK_BAD},
    {"1\r\na0\r\n\r\n", "a", CHUNK_BAD},
    {"0\r\n\n", "", CHUNK_BAD},
    {"0\r\n\rX", "", CHUNK_BAD},
};
JUDGE(rfc9112_7_1_chunks)

static const struct row rfc9112_7_1_size_rows[] = {
    {"\r\n", "", CHUNK_BAD},
    {"g\r\n", "", CHUNK_BAD},
    {"-1\r\n", "", CHUNK_BAD},
    {"+1\r\n", "", CHUNK_BAD},
    {"0x1\r\na\r\n", "", CHUNK_BAD},
    {"1_0\r\n", "", CHUNK_BAD},
    {" 1\r\na\r\n", "", CHUNK_BAD},
    {"1 \r\na\r\n", "", CHUNK_BAD},
    {"1\t\r\na\r\n", "", CHUNK_BAD},
    {" ;x\r\n", "", CHUNK_BAD},
    {"1\na\r\n", "", CHUNK_BAD},
    {"1\r\rna", "", CHUNK_BAD},
    {"1x\na\r\n", "", CHUNK_BAD},
    {"1\n\na\r\n", "", CHUNK_BAD},
    {"000000000000001\r\na\r\n0\r\n\r\n", "a", CHUNK_END},
    {"0000000000000001\r\na\r\n", "", CHUNK_BAD}, /* longer than any that is meant */
    {"FFFFFFFFFFFFFFFF\r\n", "", CHUNK_BAD},
    {"10000000000000001\r\n", "", CHUNK_BAD},
};
JUDGE(rfc9112_7_1_size)

#define REST "\r\na\r\n0\r\n\r\n"

static const struct row rfc9112_7_1_1_extensions_rows[] = {
    {"1;x" REST, "a", CHUNK_END},
    {"1;x=y" REST, "a", CHUNK_END},
    {"1;x=\"v\"\r\na\r\n0;x\r\n\r\n", "a", CHUNK_END},
    {"1;x;y=z;z=\"\"" REST, "a", CHUNK_END},
    {"1;x=\"a;b\\\"\\\\ \t=\xc3\"" REST, "a", CHUNK_END},
    {"1 ;\tx = y \t; z = \"q\" ;w" REST, "a", CHUNK_END},
    {"1;x=\"", "", CHUNK_MORE},
    {";x\r\n", "", CHUNK_BAD},
    {"1;" REST, "", CHUNK_BAD},
    {"1;;x" REST, "", CHUNK_BAD},
    {"1;=y" REST, "", CHUNK_BAD},
    {"1;x=" REST, "", CHUNK_BAD},
    {"1;x==y" REST, "", CHUNK_BAD},
    {"1;x=;y" REST, "", CHUNK_BAD},
    {"1;x y" REST, "", CHUNK_BAD},
    {"1;x=y z" REST, "", CHUNK_BAD},
    {"1;x " REST, "", CHUNK_BAD},
    {"1;x=y " REST, "", CHUNK_BAD},
    {"1;x=\"y\" " REST, "", CHUNK_BAD},
    {"1;x=\"y\"z" REST, "", CHUNK_BAD},
    {"1;x=y\"z\"" REST, "", CHUNK_BAD},
    {"1;x=\"y" REST, "", CHUNK_BAD},
    {"1;x=\"y\\" REST, "", CHUNK_BAD},
    {"1;x=\"\n\"" REST, "", CHUNK_BAD},
    {"1;x=\"\\\x01\"" REST, "", CHUNK_BAD},
    {"1;x=\"\x7f\"" REST, "", CHUNK_BAD},
    {"1;\"x\"" REST, "", CHUNK_BAD},
    {"1;\xc3" REST, "", CHUNK_BAD},
    {"1;x=@" REST, "", CHUNK_BAD},
    {"1;a\nb" REST, "", CHUNK_BAD},
    {"1;a\r\rb" REST, "", CHUNK_BAD},
};
JUDGE(rfc9112_7_1_1_extensions)

static const struct row rfc9112_7_1_2_trailers_rows[] = {
    {"1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", "a", CHUNK_END},
    {"0\r\nX: \xc3\tz \r\n\r\n", "", CHUNK_END},
    {"0\r\nX: y\r\n", "", CHUNK_MORE},
    {"0\r\n: y\r\n", "", CHUNK_BAD},
    {"0\r\nX : y\r\n", "", CHUNK_BAD},
    {"0\r\n X: y\r\n", "", CHUNK_BAD},
    {"0\r\nX: y\r\n z\r\n\r\n", "", CHUNK_BAD},
    {"0\r\nX: y\n\r\n", "", CHUNK_BAD},
    {"0\r\nX: y\rz\r\n", "", CHUNK_BAD},
    {"0\r\nX: \x01\r\n", "", CHUNK_BAD},
    {"0\r\nX\r\n\r\n", "", CHUNK_BAD},
    {"0\r\nX@: y\r\n\r\n", "", CHUNK_BAD},
};
JUDGE(rfc9112_7_1_2_trailers)

/* They are dropped, so they change nothing, whatever they are. */
static const struct row rfc9110_6_5_1_trailers_rows[] = {
    {"1\r\na\r\n0\r\nContent-Length: 9\r\n\r\n", "a", CHUNK_END},
    {"1\r\na\r\n0\r\nTransfer-Encoding: gzip\r\nHost: x\r\n\r\n", "a", CHUNK_END},
};
JUDGE(rfc9110_6_5_1_trailers)

/* What follows the body is left alone: it is the next request. */
START_TEST(rfc9112_7_1_stops_at_the_end)
{
    static const char data[] = "1\r\na\r\n0\r\n\r\nGET /";
    for (size_t step = 1; step < sizeof data; step++) {
        ck_assert_int_eq(decode(data, sizeof data - 1, step), CHUNK_END);
        ck_assert_uint_eq(taken, sizeof data - 1 - 5);
    }
}
END_TEST

/* Extensions and trailers without end are refused. */
START_TEST(rfc9112_7_1_1_limit)
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

/* But a large body may have as much of them as of itself, such as a signature of each chunk. */
START_TEST(rfc9112_7_1_1_limit_grows)
{
    char chunk[400], *data = malloc(400 * 200);
    size_t length = 0;
    int n = snprintf(chunk, sizeof chunk, "64;s=%098d\r\n%0100d\r\n", 7, 8);
    for (int i = 0; i < 200; i++, length += (size_t)n)
        memcpy(data + length, chunk, (size_t)n);
    for (size_t step = 1; step <= 1000; step *= 10)
        ck_assert_int_eq(decode(data, length, step), CHUNK_MORE);
    n = snprintf(chunk, sizeof chunk, "32;s=%098d\r\n%050d\r\n", 7, 8);
    for (length = 0; length < 200 * (size_t)n; length += (size_t)n)
        memcpy(data + length, chunk, (size_t)n);
    for (size_t step = 1; step <= 1000; step *= 10)
        ck_assert_int_eq(decode(data, length, step), CHUNK_BAD);
    free(data);
}
END_TEST

UNIT_MAIN("http-chunk", ROWS(rfc9112_7_1_chunks), ROWS(rfc9112_7_1_size),
          ONCE(rfc9112_7_1_stops_at_the_end), ROWS(rfc9112_7_1_1_extensions),
          ONCE(rfc9112_7_1_1_limit), ONCE(rfc9112_7_1_1_limit_grows),
          ROWS(rfc9112_7_1_2_trailers),
          ROWS(rfc9110_6_5_1_trailers))
