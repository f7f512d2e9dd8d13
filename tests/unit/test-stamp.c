/* The stamp of the module files: when it changes, and when not. */
#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "conf/core.h"
#include "master/stamp.h"
#include "temp.h"
#include "unit.h"

static char module_path[300], absolute[128];
static const char *names[] = {"one", "two", absolute};
static struct core core = {.modules = names, .module_count = 2, .module_path = module_path};

static void setup(void)
{
    temp_make();
    ck_assert_int_eq(mkdir(temp_path("a"), 0700), 0);
    ck_assert_int_eq(mkdir(temp_path("b"), 0700), 0);
    snprintf(module_path, sizeof(module_path), "%s:%s", temp_path("a"), temp_path("b"));
    snprintf(absolute, sizeof(absolute), "%s", temp_path("three.so"));
    temp_write(temp_path("a/one.so"), "one");
    temp_write(temp_path("b/two.so"), "two");
}

/* Has it changed since the last call? */
static bool changed(void)
{
    static uint64_t last;
    uint64_t before = last;

    last = stamp_modules(&core);
    ck_assert_uint_eq(last, stamp_modules(&core));
    return last != before;
}

static void set_time(const char *path, time_t seconds)
{
    const struct timespec both[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    ck_assert_int_eq(utimensat(AT_FDCWD, path, both, 0), 0);
}

START_TEST(same_files_same_stamp)
{
    changed();
    temp_write(temp_path("a/other.so"), "not configured");
    temp_write(temp_path("a/one"), "not a module");
    ck_assert_str_eq(temp_read(temp_path("a/one.so")), "one"); /* reading is no change */
    ck_assert(!changed());
}
END_TEST

START_TEST(replaced)
{
    set_time(temp_path("a/one.so"), 1000);
    changed();
    temp_write(temp_path("a/new"), "ONE");
    set_time(temp_path("a/new"), 1000); /* same size, same time: another file all the same */
    ck_assert_int_eq(rename(temp_path("a/new"), temp_path("a/one.so")), 0);
    ck_assert(changed());
    ck_assert(!changed());
}
END_TEST

START_TEST(rewritten)
{
    set_time(temp_path("b/two.so"), 1000);
    changed();
    temp_write(temp_path("b/two.so"), "longer");
    set_time(temp_path("b/two.so"), 1000);
    ck_assert(changed());
    set_time(temp_path("b/two.so"), 1001);
    ck_assert(changed());
}
END_TEST

START_TEST(first_folder_counts)
{
    changed();
    temp_write(temp_path("a/two.so"), "two");
    ck_assert(changed());
    temp_write(temp_path("b/two.so"), "hidden by a/two.so");
    temp_write(temp_path("b/one.so"), "hidden by a/one.so");
    ck_assert(!changed());
    ck_assert_int_eq(unlink(temp_path("a/two.so")), 0);
    ck_assert(changed());
}
END_TEST

START_TEST(absolute_path)
{
    changed();
    core.module_count = 3;
    changed();
    temp_write(absolute, "three");
    ck_assert(changed());
    temp_write(absolute, "three and more");
    ck_assert(changed());
}
END_TEST

START_TEST(missing_files_and_odd_paths)
{
    strcpy(module_path, "");
    changed();
    strcpy(module_path, "::/nonexistent:");
    ck_assert(!changed());
    snprintf(module_path, sizeof(module_path), "/nonexistent::%s:", temp_path("a"));
    ck_assert(changed()); /* found behind an empty element */
    core.module_count = 0;
    ck_assert(changed());
}
END_TEST

START_TEST(order_of_modules_counts)
{
    strcpy(module_path, temp_path("a"));
    temp_write(temp_path("a/two.so"), "two");
    changed();
    names[0] = "two";
    names[1] = "one";
    ck_assert(changed());
}
END_TEST

UNIT_MAIN_AROUND("stamp", setup, temp_remove, ONCE(same_files_same_stamp), ONCE(replaced),
                 ONCE(rewritten), ONCE(first_folder_counts), ONCE(absolute_path),
                 ONCE(missing_files_and_odd_paths), ONCE(order_of_modules_counts))
