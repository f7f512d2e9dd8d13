/* Time kept per thread; see clock.h. Worker threads and master. */
#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

_Thread_local int64_t clock_kept_ms, clock_kept_time;

int64_t clock_fresh_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_refresh(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    clock_kept_time = now.tv_sec;
    clock_kept_ms = clock_fresh_ms();
}

void clock_stamp(char stamp[CLOCK_STAMP])
{
    struct timespec now;
    struct tm tm;
    size_t length;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    length = strftime(stamp, CLOCK_STAMP, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(stamp + length, CLOCK_STAMP - length, ".%06ldZ", now.tv_nsec / 1000);
}
