/* The list of files that modules have read: made by a worker, compared by the master. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "master/reads.h"
#include "reeve/module.h"
#include "temp.h"
#include "unit.h"

/* Each test is a process of its own, and the list is the process's. */
static const char *list(struct buf *text)
{
    buf_clear(text);
    conf_put_reads(text);
    return buf_text(text);
}

START_TEST(a_line_for_each_file)
{
    struct buf text = {0};
    char expected[600];

    ck_assert_str_eq(list(&text), "");
    temp_write(temp_path("one"), "one");
    reeve_conf_reads(temp_path("one"));
    reeve_conf_reads(temp_path("none\n"));
    reeve_conf_reads(temp_path("one"));
    list(&text);
    snprintf(expected, sizeof(expected), " %s\n", temp_path("one"));
    ck_assert_uint_eq(strspn(buf_text(&text), "0123456789abcdef"), 16);
    ck_assert_ptr_eq(strstr(buf_text(&text), expected), buf_text(&text) + 16);
    const char *second = strchr(buf_text(&text), '\n') + 1;
    ck_assert_uint_eq(strspn(second, "0123456789abcdef"), 16);
    ck_assert_ptr_nonnull(strstr(second, "none\\x0a\n")); /* its name breaks no line */
    ck_assert_ptr_eq(strchr(second, '\n'), second + strlen(second) - 1);
    buf_free(&text);
}
END_TEST

/* A second look in the same process adds a line where the file is not as it was. */
START_TEST(what_is_a_change)
{
    struct buf text = {0};
    size_t lines;

    reeve_conf_reads(temp_path("file"));
    lines = strlen(list(&text));
    temp_write(temp_path("file"), "there now");
    reeve_conf_reads(temp_path("file"));
    ck_assert_uint_eq(strlen(list(&text)), 2 * lines);
    temp_write(temp_path("file"), "longer than it was");
    reeve_conf_reads(temp_path("file"));
    ck_assert_uint_eq(strlen(list(&text)), 3 * lines);
    temp_write(temp_path("new"), "longer than it was");
    ck_assert_int_eq(rename(temp_path("new"), temp_path("file")), 0);
    reeve_conf_reads(temp_path("file"));
    ck_assert_uint_eq(strlen(list(&text)), 4 * lines);
    reeve_conf_reads(temp_path("file"));
    ck_assert_uint_eq(strlen(list(&text)), 4 * lines);
    buf_free(&text);
}
END_TEST

START_TEST(any_number_of_files)
{
    struct buf before = {0}, after = {0}, name = {0};
    char path[4000];

    memset(path, 'x', sizeof(path));
    path[0] = '/';
    for (int i = 0; i < 1000; i++) {
        snprintf(path + 3000, 1000, "%d", i);
        reeve_conf_reads(path);
    }
    list(&before);
    ck_assert_uint_gt(before.length, 12000);
    ck_assert_uint_lt(before.length, 17000);
    ck_assert_ptr_nonnull(strstr(buf_text(&before), " one of 995 further files\n"));
    reeve_conf_reads("/none");
    list(&after);
    ck_assert(reads_differ(buf_text(&before), buf_text(&after), &name));
    ck_assert_str_eq(buf_text(&name), "/none");
    buf_free(&before);
    buf_free(&after);
    buf_free(&name);
}
END_TEST

static const struct {
    const char *before, *now, *name; /* NULL: they are equal */
} pairs[] = {
    {NULL, NULL, NULL},
    {"1 /a\n2 /b\n", "1 /a\n2 /b\n", NULL},
    {NULL, "1 /a\n", "/a"},
    {"1 /a\n", NULL, "/a"},
    {"1 /a\n2 /b\n", "1 /a\n3 /b\n", "/b"},
    {"1 /a b\n2 /b\n", "2 /a b\n3 /b\n", "/a b"},
    {"1 /a\n", "1 /a\n2 /b\n", "/b"},
    {"1 /a\n2 /b\n", "1 /a\n", "/b"},
    {"1 /a\n", "1 /a", "/a"}, /* from here on: what no honest worker says */
    {"", "\n", ""},
    {"x", "y", "y"},
    {" ", "  ", " "},
};

START_TEST(what_differs)
{
    struct buf name = {0};

    ck_assert_int_eq(reads_differ(pairs[_i].before, pairs[_i].now, &name), pairs[_i].name != NULL);
    ck_assert_str_eq(buf_text(&name), pairs[_i].name ? pairs[_i].name : "");
    buf_free(&name);
}
END_TEST

UNIT_MAIN_AROUND("reads", temp_make, temp_remove, ONCE(a_line_for_each_file),
                 ONCE(what_is_a_change), ONCE(any_number_of_files), EACH(what_differs, pairs))
