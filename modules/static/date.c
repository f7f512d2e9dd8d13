/* Dates as HTTP writes them; see date.h.
 *
 * By hand, for strftime and strptime depend on the locale, and gmtime looks at the time zone first.
 * Any thread; nothing is kept.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "date.h"

#define DAY 86400
#define CIVIL_EPOCH 719468 /* days from 1 March of year 0 to 1 January 1970 */
#define ERA_DAYS 146097    /* of 400 years */

static const char *const days[7] = {"Sunday", "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date {
    int year, month, day; /* month and day count from 1 */
    int hour, minute, second;
};

/* Years are counted from March, so that the leap day is a year's last. */
static int64_t days_of(int year, int month, int day)
{
    int64_t from_march = year - (month <= 2);
    int64_t era = from_march / 400; /* years are not negative, but for January of year 0 */
    if (from_march < 0)
        era = -1;
    int64_t of_era = from_march - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - CIVIL_EPOCH;
}

static void civil_of(int64_t number, struct date *date)
{
    number += CIVIL_EPOCH;
    int64_t era = (number >= 0 ? number : number - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day = number - era * ERA_DAYS;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int month = (int)((5 * of_year + 2) / 153);
    date->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    date->month = month < 10 ? month + 3 : month - 9;
    date->year = (int)(year + era * 400 + (date->month <= 2));
}

/* ---------------------------------------------------------------- writing ----------- */

static char *put_two(char *at, int number)
{
    at[0] = (char)('0' + number / 10);
    at[1] = (char)('0' + number % 10);
    return at + 2;
}

static char *put_name(char *at, const char *name, char behind)
{
    memcpy(at, name, 3);
    at[3] = behind;
    return at + 4;
}

bool date_format(int64_t seconds, char text[DATE_TEXT])
{
    int64_t number = seconds / DAY, rest = seconds % DAY;
    struct date date;
    if (rest < 0) {
        rest += DAY;
        number--;
    }
    if (number < days_of(0, 1, 1) || number > days_of(9999, 12, 31))
        return false;
    civil_of(number, &date);
    char *at = text;
    at = put_name(at, days[(number % 7 + 11) % 7], ','); /* the epoch was a Thursday */
    *at++ = ' ';
    at = put_two(at, date.day);
    *at++ = ' ';
    at = put_name(at, months[date.month - 1], ' ');
    at = put_two(at, date.year / 100);
    at = put_two(at, date.year % 100);
    *at++ = ' ';
    at = put_two(at, (int)(rest / 3600));
    *at++ = ':';
    at = put_two(at, (int)(rest / 60 % 60));
    *at++ = ':';
    at = put_two(at, (int)(rest % 60));
    memcpy(at, " GMT", 5);
    return true;
}

/* ---------------------------------------------------------------- reading ----------- */

/* Each take_ function moves *at behind what it has read, or returns false. */

static bool take(const char **at, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_number(const char **at, int digits, int *number)
{
    *number = 0;
    for (; digits > 0; digits--, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_month(const char **at, int *month)
{
    for (*month = 1; *month <= 12; ++*month)
        if (take(at, months[*month - 1]))
            return true;
    return false;
}

static bool take_time(const char **at, struct date *date)
{
    return take_number(at, 2, &date->hour) && take(at, ":") &&
           take_number(at, 2, &date->minute) && take(at, ":") &&
           take_number(at, 2, &date->second);
}

/* What follows "Sun, " in "Sun, 06 Nov 1994 08:49:37 GMT". */
static bool take_fixdate(const char **at, struct date *date)
{
    return take_number(at, 2, &date->day) && take(at, " ") && take_month(at, &date->month) &&
           take(at, " ") && take_number(at, 4, &date->year) && take(at, " ") &&
           take_time(at, date) && take(at, " GMT");
}

static int year_of(int64_t seconds)
{
    struct date date;
    civil_of(seconds / DAY, &date);
    return date.year;
}

/* What follows "Sunday, " in "Sunday, 06-Nov-94 08:49:37 GMT". A year that would be more than 50
 * years ahead is the last one with those digits. */
static bool take_rfc850(const char **at, int64_t now, struct date *date)
{
    if (!take_number(at, 2, &date->day) || !take(at, "-") || !take_month(at, &date->month) ||
        !take(at, "-") || !take_number(at, 2, &date->year) || !take(at, " ") ||
        !take_time(at, date) || !take(at, " GMT"))
        return false;
    int year = year_of(now);
    date->year += (year + 50) / 100 * 100;
    if (date->year > year + 50)
        date->year -= 100;
    return true;
}

/* What follows "Sun " in "Sun Nov  6 08:49:37 1994". */
static bool take_asctime(const char **at, struct date *date)
{
    if (!take_month(at, &date->month) || !take(at, " ") ||
        !take_number(at, take(at, " ") ? 1 : 2, &date->day))
        return false;
    return take(at, " ") && take_time(at, date) && take(at, " ") &&
           take_number(at, 4, &date->year);
}

static bool is_real(const struct date *date)
{
    static const int lengths[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);
    if (date->day < 1 || date->day > lengths[date->month - 1] ||
        (date->month == 2 && date->day == 29 && !leap))
        return false;
    return date->hour < 24 && date->minute < 60 && date->second <= 60; /* 60: a leap second */
}

bool date_parse(const char *text, int64_t now, int64_t *seconds)
{
    struct date date = {0};
    bool found = false;
    for (size_t i = 0; i < 7 && !found; i++) {
        char name[4] = {days[i][0], days[i][1], days[i][2], '\0'};
        const char *full = text, *at = text;
        if (take(&full, days[i]) && take(&full, ", ")) {
            at = full;
            found = take_rfc850(&at, now, &date);
        } else if (take(&at, name)) {
            found = take(&at, ", ") ? take_fixdate(&at, &date)
                                    : take(&at, " ") && take_asctime(&at, &date);
        }
        if (found && *at != '\0')
            return false;
    }
    if (!found || !is_real(&date))
        return false;
    *seconds = days_of(date.year, date.month, date.day) * DAY + date.hour * 3600 +
               date.minute * 60 + date.second;
    return true;
}
