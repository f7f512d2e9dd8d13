/* See calm.h. Time is cut into short windows. The kernel counts for each thread how long it could
 * have run while others had its CPU; a latency waits until its window is over, and counts if those
 * times have hardly grown in it. Else the latencies of the window are dropped, and so are those of
 * all requests that began before its end.
 *
 * One thread. The descriptors stay open to the end of the process. */
#include "config.h"

#include "calm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "histogram.h"

#define WATCHED 64          /* threads */
#define WINDOW_US 2000
#define WAIT_MOST_NS 100000 /* of all threads in a window: to be woken takes some time too */
#define LATENCIES 8192      /* of a window; what is beyond them does not count */

static int watched[WATCHED];
static int watched_count;
static uint64_t waited; /* ns, of all threads, at the last look */
static int64_t window_began, disturbed_until, calm_us, all_us;
static uint32_t latencies[LATENCIES];
static size_t latency_count;

bool calm_watch(const char *path)
{
    if (watched_count == WATCHED)
        return false;
    watched[watched_count] = open(path, O_RDONLY | O_CLOEXEC);
    return watched[watched_count] >= 0 && ++watched_count;
}

static uint64_t wait_of(int fd)
{
    char text[80];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    char *second;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    second = strchr(text, ' '); /* the first is the time for which it has run */
    return second ? strtoull(second, NULL, 10) : 0;
}

static uint64_t wait_of_all(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < watched_count; i++)
        sum += wait_of(watched[i]);
    return sum;
}

void calm_begin(int64_t now)
{
    waited = wait_of_all();
    window_began = disturbed_until = now;
}

void calm_add(int64_t began, int64_t took, struct histogram *histogram)
{
    if (watched_count == 0)
        histogram_add(histogram, (uint64_t)took);
    else if (began >= disturbed_until && latency_count < LATENCIES)
        latencies[latency_count++] = (uint32_t)took;
}

void calm_look(int64_t now, struct histogram *histogram)
{
    uint64_t sum;
    bool calm;

    if (watched_count == 0 || now < window_began + WINDOW_US)
        return;
    sum = wait_of_all();
    calm = sum <= waited + WAIT_MOST_NS;
    for (size_t i = 0; calm && i < latency_count; i++)
        histogram_add(histogram, latencies[i]);
    if (calm)
        calm_us += now - window_began;
    else
        disturbed_until = now;
    all_us += now - window_began;
    latency_count = 0;
    waited = sum;
    window_began = now;
}

double calm_share(void)
{
    return all_us > 0 ? (double)calm_us / (double)all_us : 1;
}
