/* Usable CPUs: the control groups of a file system that stands in for the real one. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpus.h"
#include "temp.h"
#include "unit.h"

static const char v2[] = "29 23 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
static const char v1[] = "33 24 0:28 / /cg rw - cgroup cgroup rw,cpuset\n"
                         "34 24 0:29 / /cpu rw - cgroup cgroup rw,cpu,cpuacct\n";

/* Files are named relative to the folder; the groups' folders have two levels at most. */
static const struct {
    const char *name;
    const char *mounts, *groups;
    const char *files[6]; /* a path and what stands there */
    long long quota, period;
    const char *group;
} cases[] = {
    {"no mounts", "", "0::/a/b\n", {"cg/a/b/cpu.max", "50000 100000\n"}, 0, 0, ""},
    {"no limit", v2, "0::/a/b\n", {"cg/a/b/cpu.max", "max 100000\n"}, 0, 0, ""},
    {"own group", v2, "0::/a/b\n", {"cg/a/b/cpu.max", "150000 100000\n"}, 150000, 100000, "/a/b"},
    {"a group above is tighter", v2, "0::/a/b\n",
     {"cg/a/b/cpu.max", "400000 100000\n", "cg/a/cpu.max", "100000 50000\n"}, 100000, 50000, "/a"},
    {"a group above is wider", v2, "0::/a/b\n",
     {"cg/a/b/cpu.max", "100000 100000\n", "cg/a/cpu.max", "200000 100000\n"},
     100000, 100000, "/a/b"},
    {"the mount's root has a limit", v2, "0::/\n", {"cg/cpu.max", "250000 100000\n"},
     250000, 100000, "/"},
    {"from below to the mount's root", v2, "0::/a\n", {"cg/cpu.max", "250000 100000\n"},
     250000, 100000, "/"},
    {"outside of what is mounted", v2, "0::/../x\n", {"cg/cpu.max", "300000 100000\n"},
     300000, 100000, "/"},
    {"the mount shows a group", "29 23 0:26 /docker/c /cg rw - cgroup2 cgroup2 rw\n",
     "0::/docker/c/a\n", {"cg/a/cpu.max", "200000 100000\n", "cg/cpu.max", "700000 100000\n"},
     200000, 100000, "/a"},
    {"the mount shows another group", "29 23 0:26 /docker/c /cg rw - cgroup2 cgroup2 rw\n",
     "0::/docker/cc\n", {"cg/c/cpu.max", "1 1\n", "cg/cpu.max", "700000 100000\n"},
     700000, 100000, "/"},
    {"version 1", v1, "4:cpu,cpuacct:/a\n3:cpuset:/b\n",
     {"cpu/a/cpu.cfs_quota_us", "350000\n", "cpu/a/cpu.cfs_period_us", "100000\n"},
     350000, 100000, "/a"},
    {"version 1 without a limit", v1, "4:cpu,cpuacct:/a\n",
     {"cpu/a/cpu.cfs_quota_us", "-1\n", "cpu/a/cpu.cfs_period_us", "100000\n"}, 0, 0, ""},
    {"nonsense", v2, "0::/a\n", {"cg/a/cpu.max", "0 0\n", "cg/cpu.max", "-5 100000\n"}, 0, 0, ""},
    {"no line for it", v2, "1:name=x:/a\n", {"cg/a/cpu.max", "1 1\n"}, 0, 0, ""},
};

static void put(const char *top, const char *path, const char *text)
{
    char full[600];
    FILE *file;

    snprintf(full, sizeof(full), "%s/%s", top, path);
    for (char *slash = strchr(full + strlen(top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(quota)
{
    const char *top = temp_folder;
    char words[CPUS_WORDS];
    struct cpus_mounts mounts;
    struct cpus cpus;

    put(top, "proc/self/mountinfo", cases[_i].mounts);
    put(top, "proc/self/cgroup", cases[_i].groups);
    for (int i = 0; i < 6 && cases[_i].files[i]; i += 2)
        put(top, cases[_i].files[i], cases[_i].files[i + 1]);
    cpus_find(top, &mounts);
    cpus_look(top, &mounts, &cpus);
    ck_assert_msg(cpus.quota == cases[_i].quota && cpus.period == cases[_i].period,
                  "%s: %lld of %lld", cases[_i].name, cpus.quota, cpus.period);
    ck_assert_str_eq(cpus.group, cases[_i].group);
    ck_assert_int_ge(cpus.usable, 1);
    ck_assert_int_le(cpus.usable, cpus.affinity);
    cpus_put(&cpus, words, sizeof(words));
    ck_assert_ptr_nonnull(strstr(words, cpus.quota ? "cgroup quota" : "no cgroup quota"));
}
END_TEST

START_TEST(a_change_is_seen)
{
    const char *top = temp_folder;
    struct cpus_mounts mounts;
    struct cpus cpus;

    put(top, "proc/self/mountinfo", v2);
    put(top, "proc/self/cgroup", "0::/a\n");
    put(top, "cg/a/cpu.max", "1000 100000\n");
    cpus_find(top, &mounts);
    cpus_look(top, &mounts, &cpus);
    ck_assert_int_eq(cpus.usable, 1);
    ck_assert_int_eq((int)cpus.quota, 1000);
    put(top, "cg/a/cpu.max", "max 100000\n");
    cpus_look(top, &mounts, &cpus);
    ck_assert_int_eq(cpus.usable, cpus.affinity);
}
END_TEST

static const struct {
    struct cpus cpus;
    const char *words;
} told[] = {
    {{.affinity = 8, .quota = 250000, .period = 100000, .group = "/a", .usable = 3},
     "affinity 8, cgroup quota 2.5 (of /a): 3"},
    {{.affinity = 2, .usable = 2}, "affinity 2, no cgroup quota: 2"},
};

START_TEST(arithmetic_in_words)
{
    char words[CPUS_WORDS];

    cpus_put(&told[_i].cpus, words, sizeof(words));
    ck_assert_str_eq(words, told[_i].words);
}
END_TEST

UNIT_MAIN_AROUND("cpus", temp_make, temp_remove, EACH(quota, cases), ONCE(a_change_is_seen),
                 EACH(arithmetic_in_words, told))
