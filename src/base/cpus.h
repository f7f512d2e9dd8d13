/* How many CPUs this process may use: those of its affinity, and no more than the quotas of its
 * control groups allow. */
#ifndef BASE_CPUS_H
#define BASE_CPUS_H
#include <stdbool.h>
#include <stddef.h>

#define CPUS_PATH 256
#define CPUS_WORDS 400 /* the arithmetic in words is never longer */

/* Where a hierarchy of control groups is mounted, and which of its groups stands there. */
struct cpus_mount {
    char point[CPUS_PATH]; /* "": not mounted */
    char root[CPUS_PATH];
};
struct cpus_mounts {
    struct cpus_mount unified; /* version 2: cpu.max */
    struct cpus_mount cpu;     /* version 1: cpu.cfs_quota_us */
};

struct cpus {
    int affinity;
    long long quota, period; /* the tightest of all groups on the way to the top; 0: none */
    char group[CPUS_PATH];   /* whose it is */
    int usable;              /* min(affinity, quota rounded up), at least 1 */
};

/* `top` stands for "/" ("" in earnest; a folder in a test). The mounts do not change, the rest may
 * at any time; nothing of it waits for a disk. */
void cpus_find(const char *top, struct cpus_mounts *mounts);
void cpus_look(const char *top, const struct cpus_mounts *mounts, struct cpus *cpus);
void cpus_put(const struct cpus *cpus, char *words, size_t room);
/* All of it for this process. Main thread. */
void cpus_now(struct cpus *cpus);
#endif
