/* Which latencies of the load count: all of them, or, where threads are watched, those of moments
 * in which none of these threads was kept waiting for a CPU by others. What a server does to its
 * clients is in them; what a machine that others use does to both is not. Who holds a CPU for long
 * in the kernel, an interrupt say, is not seen and counts. */
#ifndef BENCH_CALM_H
#define BENCH_CALM_H
#include <stdbool.h>
#include <stdint.h>

struct histogram;

/* One thread more, by its /proc/PID/task/TID/schedstat. False: too many, or no such file. */
bool calm_watch(const char *path);
void calm_begin(int64_t now); /* times in us, as all here */
void calm_add(int64_t began, int64_t took, struct histogram *histogram);
void calm_look(int64_t now, struct histogram *histogram); /* often */
double calm_share(void); /* of the time, that counted */
#endif
