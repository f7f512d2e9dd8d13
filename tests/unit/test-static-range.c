/* static: the Range field, RFC 9110, 14, and multipart/byteranges, 15.3.7.2. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../modules/static/parts.h"
#include "../../modules/static/range.h"
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

static int file_of(const char *data, size_t length)
{
    int fd = memfd_create("parts", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, length), (ssize_t)length);
    return fd;
}

static char *read_parts(const char *data, const char *field, char type[PARTS_TYPE])
{
    int fd = file_of(data, strlen(data));
    struct ranges ranges;
    size_t length = 0;
    ck_assert_int_eq(range_parse(field, strlen(data), &ranges), RANGE_SOME);
    char *body = parts_read(fd, strlen(data), "text/plain", &ranges, type, &length);
    ck_assert_ptr_nonnull(body);
    close(fd);
    body[length - 1] = '\0'; /* in place of the last newline */
    return body;
}

START_TEST(rfc9110_15_3_7_2_multipart)
{
    char type[PARTS_TYPE];
    char *body = read_parts("0123456789", "bytes=7-,0-1", type);
    ck_assert_str_eq(body,
                     "--reeve-part-00000000\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Range: bytes 7-9/10\r\n\r\n789\r\n"
                     "--reeve-part-00000000\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Range: bytes 0-1/10\r\n\r\n01\r\n"
                     "--reeve-part-00000000--\r");
    free(body);
    ck_assert_str_eq(type, "multipart/byteranges; boundary=reeve-part-00000000");
}
END_TEST

START_TEST(rfc2046_5_1_1_boundary_stands_in_no_part)
{
    char type[PARTS_TYPE];
    char *body = read_parts("x--reeve-part-00000000 reeve-part-00000001 y", "bytes=0-41,43-", type);
    ck_assert_str_eq(type, "multipart/byteranges; boundary=reeve-part-00000002");
    ck_assert_ptr_nonnull(strstr(body, "\r\n--reeve-part-00000002--\r"));
    free(body);
}
END_TEST

START_TEST(parts_are_bounded)
{
    static char data[PARTS_MOST + 100];
    char type[PARTS_TYPE];
    size_t length;
    int fd = file_of(data, sizeof data);
    struct ranges ranges = {.count = 2, .list = {{0, 50}, {60, PARTS_MOST - 50}}};
    char *body = parts_read(fd, sizeof data, "x/y", &ranges, type, &length);
    ck_assert_ptr_nonnull(body);
    ck_assert_uint_gt(length, PARTS_MOST);
    free(body);
    ranges.list[1].length++;
    ck_assert_ptr_null(parts_read(fd, sizeof data, "x/y", &ranges, type, &length));
    ck_assert_int_eq(errno, EFBIG);
    close(fd);
}
END_TEST

START_TEST(parts_of_a_file_that_shrank)
{
    char type[PARTS_TYPE];
    size_t length;
    int fd = file_of("0123456789", 10);
    const struct ranges ranges = {.count = 2, .list = {{0, 2}, {10, 5}}};
    ck_assert_ptr_null(parts_read(fd, 20, "x/y", &ranges, type, &length));
    ck_assert_int_eq(errno, EIO);
    close(fd);
}
END_TEST

/* The most parts, the longest numbers and a long type fit into what was asked for. */
START_TEST(parts_have_room)
{
    char type[PARTS_TYPE], media[128];
    size_t length;
    memset(media, 'x', sizeof media - 1);
    media[127] = '\0';
    int fd = memfd_create("parts", MFD_CLOEXEC);
    uint64_t size = (uint64_t)INT64_MAX / 4096 * 4096;
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    struct ranges ranges = {.count = RANGE_MAX};
    for (size_t i = 0; i < RANGE_MAX; i++)
        ranges.list[i] = (struct range){size - 2 * (i + 1), 1};
    char *body = parts_read(fd, size, media, &ranges, type, &length);
    ck_assert_ptr_nonnull(body);
    ck_assert_uint_lt(length, RANGE_MAX + (RANGE_MAX + 1) * (256 + strlen(media)));
    free(body);
    close(fd);
}
END_TEST

UNIT_MAIN("static-range", EACH(rfc9110_14_1_2_byte_ranges, fields),
          ONCE(rfc9110_14_2_unsatisfiable_is_told), ONCE(rfc9110_17_15_many_ranges),
          ONCE(rfc9110_15_3_7_2_multipart), ONCE(rfc2046_5_1_1_boundary_stands_in_no_part),
          ONCE(parts_are_bounded), ONCE(parts_of_a_file_that_shrank), ONCE(parts_have_room))
