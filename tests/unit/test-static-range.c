/* static: the Range field, RFC 9110, 14, and multipart/byteranges, 15.3.7.2. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../modules/static/parts.h"
#include "../../modules/static/range.h"
#include "fake-turns.h"
#include "unit.h"

#define HUGE_FILE (UINT64_C(5) << 40)

/* `expected`: "first+length" of each, or "" for none, or "-" where the whole is to be sent. */
static const struct {
    const char *field;
    uint64_t size;
    const char *expected;
} fields[] = {
    {"bytes=0-0", 100, "0+1"},
    {"bytes=0-99", 100, "0+100"},
    {"bytes=0-", 100, "0+100"},
    {"bytes=10-19", 100, "10+10"},
    {"bytes=99-", 100, "99+1"},
    {"bytes=50-1000", 100, "50+50"}, /* beyond the end means the end */
    {"bytes=-1", 100, "99+1"},
    {"bytes=-100", 100, "0+100"},
    {"bytes=-1000", 100, "0+100"},
    {"BYTES=1-2", 100, "1+2"}, /* 14.1: the unit in any case */
    {"bytes= 1-2 ", 100, "1+2"},
    {"bytes=,1-2,,", 100, "1+2"},
    {"bytes=00001-0000000000000000000000002", 100, "1+2"},
    /* Behind the end, or nothing: 416. */
    {"bytes=100-", 100, ""},
    {"bytes=100-200", 100, ""},
    {"bytes=-0", 100, ""},
    {"bytes=0-", 0, ""},
    {"bytes=-5", 0, ""},
    {"bytes=100-,200-300,-0", 100, ""},
    /* Numbers of any length. */
    {"bytes=18446744073709551615-", 100, ""},
    {"bytes=18446744073709551616-", 100, ""},
    {"bytes=99999999999999999999999999-", 100, ""},
    {"bytes=1-18446744073709551615", 100, "1+99"},
    {"bytes=1-18446744073709551616", 100, "1+99"},
    {"bytes=1-184467440737095516160000", 100, "1+99"},
    {"bytes=-18446744073709551616", 100, "0+100"},
    {"bytes=5497558138870-5497558138879", HUGE_FILE, "5497558138870+10"},
    {"bytes=-10", HUGE_FILE, "5497558138870+10"},
    {"bytes=5497558138880-", HUGE_FILE, ""},
    {"bytes=0-", UINT64_MAX, "0+18446744073709551615"},
    {"bytes=18446744073709551614-18446744073709551615", UINT64_MAX, "18446744073709551614+1"},
    /* Malformed, another unit: as if it had not come. */
    {NULL, 100, "-"},
    {"", 100, "-"},
    {"bytes", 100, "-"},
    {"bytes=", 100, "-"},
    {"bytes=,", 100, "-"},
    {"bytes=-", 100, "-"},
    {"bytes=1", 100, "-"},
    {"bytes=2-1", 100, "-"},
    {"bytes=0-1,2-1", 100, "-"},
    {"bytes=1-2-3", 100, "-"},
    {"bytes=--1", 100, "-"},
    {"bytes=+1-2", 100, "-"},
    {"bytes=1 -2", 100, "-"},
    {"bytes=1- 2", 100, "-"},
    {"bytes=1-2 3-4", 100, "-"},
    {"bytes=1-2;3-4", 100, "-"},
    {"bytes=0-9, bytes=20-29", 100, "-"}, /* as of two lines */
    {"bytes=a-b", 100, "-"},
    {"bytes=0x1-2", 100, "-"},
    {"bytes =1-2", 100, "-"},
    {"bytes:1-2", 100, "-"},
    {"lines=1-2", 100, "-"},
    {"bytesx=1-2", 100, "-"},
    /* Several: as asked, the unsatisfiable left out, what overlaps or touches joined. */
    {"bytes=0-1,10-11", 100, "0+2 10+2"},
    {"bytes=10-11, 0-1", 100, "10+2 0+2"},
    {"bytes=0-1,200-,-1", 100, "0+2 99+1"},
    {"bytes=0-9,5-14", 100, "0+15"},
    {"bytes=0-9,10-19", 100, "0+20"},
    {"bytes=0-9,11-19", 100, "0+10 11+9"},
    {"bytes=50-59,0-9,10-49", 100, "0+60"},
    {"bytes=50-59,0-9,80-89,10-49", 100, "0+60 80+10"},
    {"bytes=80-89,50-59,0-9,5-55", 100, "80+10 0+60"},
    {"bytes=0-,0-,0-,0-", 100, "0+100"},
    {"bytes=20-29,0-,30-31", 100, "0+100"},
};

START_TEST(rfc9110_14_1_2_byte_ranges)
{
    struct ranges ranges;
    char got[512] = "-";
    if (range_parse(fields[_i].field, fields[_i].size, &ranges) != RANGE_IGNORED) {
        got[0] = '\0';
        for (size_t i = 0; i < ranges.count; i++)
            sprintf(got + strlen(got), "%s%ju+%ju", i > 0 ? " " : "",
                    (uintmax_t)ranges.list[i].first, (uintmax_t)ranges.list[i].length);
    }
    ck_assert_msg(strcmp(got, fields[_i].expected) == 0, "%s: \"%s\"", fields[_i].field, got);
}
END_TEST

START_TEST(rfc9110_14_2_unsatisfiable_is_told)
{
    struct ranges ranges;
    ck_assert_int_eq(range_parse("bytes=100-", 100, &ranges), RANGE_UNSATISFIABLE);
    ck_assert_int_eq(range_parse("bytes=100-,0-0", 100, &ranges), RANGE_SOME);
    ck_assert_int_eq(range_parse("bytes=1-0", 100, &ranges), RANGE_IGNORED);
}
END_TEST

static enum range_result parse_many(unsigned count, unsigned step, struct ranges *ranges)
{
    static char field[200000];
    size_t at = (size_t)sprintf(field, "bytes=");
    for (unsigned i = 0; i < count; i++)
        at += (size_t)sprintf(field + at, "%u-%u,", i * step, i * step + 4);
    return range_parse(field, 1000000, ranges);
}

START_TEST(rfc9110_17_15_many_ranges)
{
    struct ranges ranges;
    ck_assert_int_eq(parse_many(RANGE_MAX, 10, &ranges), RANGE_SOME);
    ck_assert_uint_eq(ranges.count, RANGE_MAX);
    ck_assert_uint_eq(range_sum(&ranges), RANGE_MAX * 5);
    ck_assert_int_eq(parse_many(RANGE_MAX + 1, 10, &ranges), RANGE_IGNORED);
    ck_assert_int_eq(parse_many(10000, 10, &ranges), RANGE_IGNORED);
    ck_assert_int_eq(parse_many(10000, 2, &ranges), RANGE_SOME); /* they overlap: one */
    ck_assert_uint_eq(ranges.count, 1);
    ck_assert_uint_eq(range_sum(&ranges), 20003);
}
END_TEST

/* ---------------------------------------------------------------- parts ------------- */

static struct {
    struct reeve_request public; /* first */
    int status;
    char type[128];
} asked;

static int reply_stream(reeve_request *r, int status, const char *type, uint64_t length,
                        int (*more)(reeve_request *, void *), void (*over)(void *), void *arg)
{
    asked.status = status;
    snprintf(asked.type, sizeof asked.type, "%s", type);
    turns_stream(r, length, more, over, arg);
    return 0;
}

static const struct reeve_http_api api = {.reply_stream = reply_stream, TURNS_API};

/* Asks for ranges of a file that holds `holds` bytes, each its place modulo 251, and said that it
 * held `size`; sees to it that the descriptor is closed. */
static void ask_parts(const char *field, size_t holds, uint64_t size, const char *type)
{
    int fd = memfd_create("parts", MFD_CLOEXEC);
    unsigned char *data = malloc(holds);
    for (size_t i = 0; i < holds; i++)
        data[i] = (unsigned char)(i % 251);
    ck_assert_int_eq(write(fd, data, holds), (ssize_t)holds);
    free(data);
    struct ranges ranges;
    ck_assert_int_eq(range_parse(field, size, &ranges), RANGE_SOME);
    turns_forget();
    asked.public.api = &api;
    ck_assert_int_eq(parts_send(&asked.public, fd, size, type, &ranges), 0);
    ck_assert_int_eq(asked.status, 206);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}

/* The boundary of the answer. */
static const char *boundary(void)
{
    static const char kind[] = "multipart/byteranges; boundary=";
    ck_assert_int_eq(strncmp(asked.type, kind, sizeof kind - 1), 0);
    const char *found = asked.type + sizeof kind - 1;
    ck_assert_uint_eq(strlen(found), 32);
    ck_assert_uint_eq(strspn(found, "0123456789abcdef"), 32);
    return found;
}

START_TEST(rfc9110_15_3_7_2_multipart)
{
    ask_parts("bytes=65-67,48-49", 100, 100, "text/plain");
    const char *mark = boundary();
    char expected[512];
    snprintf(expected, sizeof expected,
             "--%s\r\n"
             "Content-Type: text/plain\r\n"
             "Content-Range: bytes 65-67/100\r\n\r\nABC\r\n"
             "--%s\r\n"
             "Content-Type: text/plain\r\n"
             "Content-Range: bytes 48-49/100\r\n\r\n01\r\n"
             "--%s--\r\n", mark, mark, mark);
    ck_assert_str_eq(turns.data, expected);
    ck_assert_uint_eq(turns.promised, turns.length);
    ck_assert_int_eq(turns.pieces, 1);
    ask_parts("bytes=65-67,48-49", 100, 100, "");
    ck_assert_ptr_null(strstr(turns.data, "Content-Type"));
    turns_forget();
}
END_TEST

START_TEST(rfc2046_5_1_1_boundary_is_of_chance)
{
    char first[64];
    ask_parts("bytes=0-0,5-5", 100, 100, "x/y");
    snprintf(first, sizeof first, "%s", boundary());
    ask_parts("bytes=0-0,5-5", 100, 100, "x/y");
    ck_assert_str_ne(first, boundary());
    turns_forget();
}
END_TEST

/* However long the ranges are, one piece of them is in memory. */
START_TEST(parts_come_in_pieces)
{
    size_t size = 3000000;
    ask_parts("bytes=0-999999,1000010-2999999", size, size, "x/y");
    ck_assert_int_eq(turns.end, 0);
    ck_assert_uint_eq(turns.promised, turns.length);
    ck_assert_uint_le(turns.largest, 65536);
    ck_assert_int_gt(turns.pieces, 40);
    const char *at = strstr(turns.data, "\r\n\r\n") + 4;
    for (size_t i = 0; i < 1000000; i++)
        ck_assert_uint_eq((unsigned char)at[i], i % 251);
    at = memmem(at + 1000000, 300, "\r\n\r\n", 4);
    ck_assert_ptr_nonnull(at);
    for (size_t i = 1000010; i < size; i++)
        ck_assert_uint_eq((unsigned char)at[4 + i - 1000010], i % 251);
    turns_forget();
}
END_TEST

START_TEST(parts_of_a_file_that_shrank)
{
    ask_parts("bytes=0-1,10-14", 10, 20, "x/y");
    ck_assert_int_eq(turns.end, -1);
    ck_assert_uint_lt(turns.length, turns.promised);
    turns_forget();
}
END_TEST

/* The most parts, the longest numbers and a long type: what is measured is what is sent. */
START_TEST(parts_have_room)
{
    char field[2000], media[128];
    uint64_t size = (uint64_t)INT64_MAX / 4096 * 4096;
    memset(media, 'x', sizeof media - 1);
    media[127] = '\0';
    size_t at = (size_t)sprintf(field, "bytes=");
    for (size_t i = 0; i < RANGE_MAX; i++)
        at += (size_t)sprintf(field + at, "%ju-%ju,", (uintmax_t)(size - 2 * (i + 1)),
                              (uintmax_t)(size - 2 * (i + 1)));
    int fd = memfd_create("parts", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    struct ranges ranges;
    ck_assert_int_eq(range_parse(field, size, &ranges), RANGE_SOME);
    ck_assert_uint_eq(ranges.count, RANGE_MAX);
    asked.public.api = &api;
    ck_assert_int_eq(parts_send(&asked.public, fd, size, media, &ranges), 0);
    ck_assert_int_eq(turns.end, 0);
    ck_assert_uint_eq(turns.promised, turns.length);
    turns_forget();
}
END_TEST

UNIT_MAIN("static-range", EACH(rfc9110_14_1_2_byte_ranges, fields),
          ONCE(rfc9110_14_2_unsatisfiable_is_told), ONCE(rfc9110_17_15_many_ranges),
          ONCE(rfc9110_15_3_7_2_multipart), ONCE(rfc2046_5_1_1_boundary_is_of_chance),
          ONCE(parts_come_in_pieces), ONCE(parts_of_a_file_that_shrank), ONCE(parts_have_room))
