/* Fuzzes dates: one that is read is written as the C library's calendar says, and read back as what
 * it was. Run by fuzz.sh and replay.c.
 */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "../../modules/static/date.h"
#include "text.h"

#define YEAR INT64_C(31557600)       /* seconds, on an average */
#define FIRST INT64_C(-62167219200)  /* 1 January of year 0 */
#define LAST INT64_C(253402300799)   /* 31 December 9999, the last second */

/* A number of seconds, written and read. */
static void check_written(int64_t seconds, int64_t now)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[DATE_TEXT], expected[100];
    int64_t again = 0;
    struct tm tm;
    assert(date_format(seconds, text) == (seconds >= FIRST && seconds <= LAST));
    if (seconds < FIRST || seconds > LAST)
        return;
    time_t clock = (time_t)seconds;
    assert(gmtime_r(&clock, &tm) != NULL);
    snprintf(expected, sizeof expected, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    assert(strcmp(text, expected) == 0);
    assert(date_parse(text, now, &again) && again == seconds);
}

/* The usual form is written as it was read, but for the day of the week, which nobody looks at.
 * Each form has a length of its own. */
static void check_form(const char *text, int64_t seconds)
{
    char written[DATE_TEXT];
    size_t length = strlen(text);
    assert(length == 24 || length == DATE_TEXT - 1 ||
           (strchr(text, '-') != NULL && length >= 30 && length <= 33));
    if (length == DATE_TEXT - 1 && memcmp(text + 23, "60", 2) != 0)
        assert(date_format(seconds, written) && strcmp(text + 3, written + 3) == 0);
}

static void check_read(const char *text, int64_t now)
{
    const int64_t untouched = INT64_MIN;
    int64_t seconds = untouched, later = untouched;
    bool good = date_parse(text, now, &seconds);
    assert(good == date_parse(text, now + 100 * YEAR, &later)); /* what a date is, no clock says */
    if (!good) {
        assert(seconds == untouched && later == untouched);
        return;
    }
    assert(seconds >= FIRST && seconds <= LAST + 1); /* a leap second may be the last */
    check_written(seconds, now);
    check_form(text, seconds);
    if (seconds == later)
        return;
    assert(strchr(text, '-') != NULL); /* only with two digits for the year */
    assert(seconds - now <= 51 * YEAR && now - seconds <= 51 * YEAR);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const int64_t clocks[] = {0, 784111777, 1795000000, 4102444800};
    struct fuzz_texts texts = fuzz_split(bytes, size, 1);
    int64_t number = 0;
    if (size > 0)
        memcpy(&number, bytes, size < sizeof number ? size : sizeof number);
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
        check_read(texts.text[0], clocks[i]);
    check_written(number, clocks[1]);
    check_written(number % (LAST + 1), clocks[1]);
    fuzz_free(&texts);
    return 0;
}
