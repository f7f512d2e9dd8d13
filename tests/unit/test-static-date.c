/* static: dates, RFC 9110, 5.6.7. */
#include "config.h"

#include <string.h>
#include <time.h>

#include "../../modules/static/date.h"
#include "unit.h"

#define NOW 1795215662 /* Fri, 20 Nov 2026 23:01:02 GMT */

static const struct {
    int64_t seconds;
    const char *text;
} both_ways[] = {
    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
    {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
    {NOW, "Fri, 20 Nov 2026 23:01:02 GMT"},
    {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, /* 2100 is no leap year */
    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    {-62167219200, "Sat, 01 Jan 0000 00:00:00 GMT"},
};

START_TEST(rfc9110_5_6_7_fixdate_both_ways)
{
    char text[DATE_TEXT];
    int64_t seconds = 42;
    ck_assert(date_format(both_ways[_i].seconds, text));
    ck_assert_str_eq(text, both_ways[_i].text);
    ck_assert(date_parse(both_ways[_i].text, NOW, &seconds));
    ck_assert_int_eq(seconds, both_ways[_i].seconds);
}
END_TEST

/* Every 13 hours and a bit, for 500 years, by the C library's own calendar. */
START_TEST(rfc9110_5_6_7_as_gmtime)
{
    for (time_t at = -1000000000; at < 15000000000; at += 47201) {
        char text[DATE_TEXT], expected[64];
        int64_t seconds;
        struct tm tm;
        ck_assert_ptr_nonnull(gmtime_r(&at, &tm));
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        ck_assert(date_format(at, text));
        if (strcmp(text, expected) != 0)
            ck_abort_msg("%s, not %s", text, expected);
        if (!date_parse(text, NOW, &seconds) || seconds != at)
            ck_abort_msg("%s is read otherwise", text);
    }
}
END_TEST

START_TEST(rfc9110_5_6_7_year_of_four_digits_only)
{
    char text[DATE_TEXT];
    ck_assert(!date_format(253402300800, text));
    ck_assert(!date_format(-62167219201, text));
    ck_assert(!date_format(INT64_MAX, text));
    ck_assert(!date_format(INT64_MIN, text));
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds;
} obsolete[] = {
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Sun Nov 16 08:49:37 1994", 784975777},
    {"Friday, 20-Nov-26 23:01:02 GMT", NOW},
    {"Friday, 20-Nov-76 23:01:02 GMT", 3373138862}, /* 50 years ahead: 2076 */
    {"Friday, 20-Nov-77 23:01:02 GMT", 248914862},  /* more than that: 1977 */
    {"Saturday, 01-Jan-00 00:00:00 GMT", 946684800},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
};

START_TEST(rfc9110_5_6_7_obsolete_forms)
{
    int64_t seconds = 42;
    ck_assert_msg(date_parse(obsolete[_i].text, NOW, &seconds), "%s", obsolete[_i].text);
    ck_assert_int_eq(seconds, obsolete[_i].seconds);
}
END_TEST

static const char *const malformed[] = {
    "",
    "x",
    "Sun",
    "Sun,",
    "Sun, ",
    "sun, 06 Nov 1994 08:49:37 GMT", /* case counts */
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Wed, 29 Feb 1995 08:49:37 GMT",
    "Mon, 29 Feb 2100 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov 06 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "784111777",
};

START_TEST(rfc9110_5_6_7_malformed)
{
    int64_t seconds = 42;
    ck_assert_msg(!date_parse(malformed[_i], NOW, &seconds), "\"%s\"", malformed[_i]);
    ck_assert_int_eq(seconds, 42);
}
END_TEST

UNIT_MAIN("static-date", EACH(rfc9110_5_6_7_fixdate_both_ways, both_ways),
          ONCE(rfc9110_5_6_7_as_gmtime), ONCE(rfc9110_5_6_7_year_of_four_digits_only),
          EACH(rfc9110_5_6_7_obsolete_forms, obsolete), EACH(rfc9110_5_6_7_malformed, malformed))
