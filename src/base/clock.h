/* Time, read once and kept per thread. clock_refresh() at the start of each turn or job. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdint.h>

void clock_refresh(void);        /* reads both clocks for the calling thread */
extern _Thread_local int64_t clock_kept_ms, clock_kept_time; /* clock.c's own */
/* CLOCK_MONOTONIC as of the last refresh, milliseconds; CLOCK_REALTIME, seconds. */
static inline int64_t clock_now_ms(void) { return clock_kept_ms; }
static inline int64_t clock_time(void) { return clock_kept_time; }
int64_t clock_fresh_ms(void);    /* CLOCK_MONOTONIC now, without touching what is kept */

#define CLOCK_STAMP 40
/* The wall clock now, in UTC: "2026-11-20T23:01:02.123456Z". */
void clock_stamp(char stamp[CLOCK_STAMP]);
#endif
