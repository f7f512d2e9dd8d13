/* Dates as HTTP writes them (RFC 9110, 5.6.7). Pure; any thread. */
#ifndef STATIC_DATE_H
#define STATIC_DATE_H
#include <stdbool.h>
#include <stdint.h>

#define DATE_TEXT 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and its NUL */

/* Writes seconds since the epoch. False if the year has not four digits. */
bool date_format(int64_t seconds, char text[DATE_TEXT]);
/* Reads any of the three forms. `now` decides which century a year of two digits is in. False if it
 * is no date, with *seconds as it was. */
bool date_parse(const char *text, int64_t now, int64_t *seconds);
#endif
