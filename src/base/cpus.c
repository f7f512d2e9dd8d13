/* Usable CPUs; see cpus.h. Any process, main thread. Memory: the caller's, and one static place for
 * the mounts, which are looked up once.
 *
 * A quota holds for a group and all below it, so every group from ours up to the mount's root is
 * asked. In a container the mount's root may be a group itself, with a quota of its own, and the
 * path that /proc tells may begin above it or, with "/..", outside of what can be seen. */
#include "config.h"

#include "base/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"

#define PATH_ROOM (4 * CPUS_PATH)

/* One of a,b,c equals `word`. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, word, length) == 0 && strchr(", \n", at[length]))
            return true;
    return false;
}

/* "36 35 0:1 ROOT POINT options ... - TYPE source options" */
static void take_mount(const char *line, struct cpus_mounts *mounts)
{
    char root[CPUS_PATH], point[CPUS_PATH], type[32], options[CPUS_PATH];
    const char *rest = strstr(line, " - ");
    struct cpus_mount *mount = NULL;

    if (!rest || sscanf(line, "%*s %*s %*s %255s %255s", root, point) != 2 ||
        sscanf(rest, " - %31s %*s %255s", type, options) != 2)
        return;
    if (strcmp(type, "cgroup2") == 0)
        mount = &mounts->unified;
    else if (strcmp(type, "cgroup") == 0 && has_word(options, "cpu"))
        mount = &mounts->cpu;
    if (!mount || mount->point[0])
        return;
    memcpy(mount->point, point, sizeof(point));
    memcpy(mount->root, root, sizeof(root));
}

void cpus_find(const char *top, struct cpus_mounts *mounts)
{
    char path[PATH_ROOM], *line = NULL;
    size_t room = 0;
    FILE *file;

    memset(mounts, 0, sizeof(*mounts));
    snprintf(path, sizeof(path), "%s/proc/self/mountinfo", top);
    file = fopen(path, "re");
    if (!file)
        return;
    while (getline(&line, &room, file) > 0)
        take_mount(line, mounts);
    free(line);
    fclose(file);
}

/* "150000 100000"; false: no limit, "max" or -1. */
static bool read_max(const char *folder, long long *quota, long long *period)
{
    char path[PATH_ROOM + 32], text[64];

    snprintf(path, sizeof(path), "%s/cpu.max", folder);
    return sys_read_small(path, text, sizeof(text)) &&
           sscanf(text, "%lld %lld", quota, period) == 2;
}

static bool read_cfs(const char *folder, long long *quota, long long *period)
{
    char path[PATH_ROOM + 32], text[64];

    snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
    if (!sys_read_small(path, text, sizeof(text)) || sscanf(text, "%lld", quota) != 1)
        return false;
    snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
    return sys_read_small(path, text, sizeof(text)) && sscanf(text, "%lld", period) == 1;
}

typedef bool read_quota(const char *folder, long long *quota, long long *period);

/* From the group at that path up to the root of the mount. */
static void look_up(const char *top, const struct cpus_mount *mount, const char *group,
                    read_quota *read, struct cpus *cpus)
{
    char path[PATH_ROOM], below[CPUS_PATH];
    size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
    bool inside = strncmp(group, mount->root, root) == 0 && !text_starts(group, "/..") &&
                  (group[root] == '/' || group[root] == '\0');

    if (!mount->point[0])
        return;
    snprintf(below, sizeof(below), "%s", inside && strcmp(group, "/") != 0 ? group + root : "");
    for (;;) {
        char *slash = strrchr(below, '/');
        long long quota = 0, period = 0;

        snprintf(path, sizeof(path), "%s%s%s", top, mount->point, below);
        if (read(path, &quota, &period) && quota > 0 && period > 0 &&
            (!cpus->quota || (double)quota / (double)period <
                             (double)cpus->quota / (double)cpus->period)) {
            cpus->quota = quota;
            cpus->period = period;
            snprintf(cpus->group, sizeof(cpus->group), "%s", below[0] ? below : "/");
        }
        if (!slash)
            return;
        *slash = '\0';
    }
}

static void look_at_groups(const char *top, const struct cpus_mounts *mounts, struct cpus *cpus)
{
    char path[PATH_ROOM], text[4096], *rest = NULL;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", top);
    if (!sys_read_small(path, text, sizeof(text)))
        return;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;

        if (!group || group[1] != '/')
            continue;
        *group++ = '\0';
        if (names[1] == '\0')
            look_up(top, &mounts->unified, group, read_max, cpus);
        else if (has_word(names + 1, "cpu"))
            look_up(top, &mounts->cpu, group, read_cfs, cpus);
    }
}

void cpus_look(const char *top, const struct cpus_mounts *mounts, struct cpus *cpus)
{
    cpu_set_t set;
    long long quota;

    memset(cpus, 0, sizeof(*cpus));
    cpus->affinity = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    look_at_groups(top, mounts, cpus);
    cpus->usable = cpus->affinity;
    if (cpus->quota) {
        quota = (cpus->quota - 1) / cpus->period + 1;
        cpus->usable = quota < cpus->affinity ? (int)quota : cpus->affinity;
    }
    cpus->usable = cpus->usable > 0 ? cpus->usable : 1;
}

void cpus_put(const struct cpus *cpus, char *words, size_t room)
{
    if (cpus->quota)
        snprintf(words, room, "affinity %d, cgroup quota %.4g (of %s): %d", cpus->affinity,
                 (double)cpus->quota / (double)cpus->period, cpus->group, cpus->usable);
    else
        snprintf(words, room, "affinity %d, no cgroup quota: %d", cpus->affinity, cpus->usable);
}

void cpus_now(struct cpus *cpus)
{
    static struct cpus_mounts mounts;
    static bool found;

    if (!found)
        cpus_find("", &mounts);
    found = true;
    cpus_look("", &mounts, cpus);
}
