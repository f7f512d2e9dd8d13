/* Counters of the kernel's kills, as the kernel writes them. */
#include "config.h"

#include "master/oom.h"
#include "unit.h"

static const struct {
    const char *text;
    int64_t count;
} files[] = {
    {"low 0\nhigh 7\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n", 3}, /* memory.events */
    {"oom_kill_disable 0\nunder_oom 0\noom_kill 12\n", 12},              /* memory.oom_control */
    {"nr_free_pages 12\noom_kill 0\ndrop_pagecache 0\n", 0},             /* /proc/vmstat */
    {"oom_kill_disable 0\nunder_oom 0\n", -1},                           /* before Linux 4.13 */
    {"oom_kill x\n", -1},
    {"", -1},
};

START_TEST(counts)
{
    ck_assert_int_eq(oom_count(files[_i].text), files[_i].count);
}
END_TEST

UNIT_MAIN("oom", EACH(counts, files))
