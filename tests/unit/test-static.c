/* static: which file is served for which path, against a temporary tree. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../modules/static/below.h"
#include "static-tree.h"
#include "unit.h"

START_TEST(test_files)
{
    tree_serves("/a.txt", TEXT, "a text");
    tree_serves("/UPPER.HTML", HTML, "upper");
    tree_serves("/noext", OCTETS, "none");
    tree_serves("/a b%.txt", TEXT, "blank");
    tree_serves("/empty.txt", TEXT, "");
    tree_serves("/", HTML, "<p>index");
    tree_serves("/sub/", TEXT, "sub index");
    tree_serves("/.well-known/acme.txt", TEXT, "acme");
    tree_serves("/odd/", TEXT, "second"); /* a folder is no index file */
}
END_TEST

START_TEST(test_head)
{
    ck_assert_int_eq(tree_ask("HEAD", "/a.txt"), 200);
    ck_assert_uint_eq(asked.length, 6);
}
END_TEST

START_TEST(test_large_file)
{
    char big[20001];
    memset(big, 'x', 20000);
    big[20000] = '\0';
    tree_put("root/big.txt", big);
    tree_serves("/big.txt", TEXT, big);
    ck_assert(asked.by_file);
    big[16384] = '\0';
    tree_put("root/small.txt", big);
    tree_serves("/small.txt", TEXT, big);
    ck_assert(!asked.by_file);
}
END_TEST

static const struct {
    const char *path;
    int status;
} refusals[] = {
    {"/none", 404},
    {"/none/", 404},
    {"/a.txt/", 404},
    {"/a.txt/b", 404},
    {"/sub/bare/", 403},
    {"/.hidden", 404},
    {"/.git/config", 404},
    {"/.git/", 404},
    {"/sub/.well-known/x", 404},
    {"/.well-known.bak", 404},
    {"/.well-known/.hidden", 404},
    {"/.well-known", 301},
    {"/outside-link.txt", 404},
    {"/outside-folder/o.txt", 404},
    {"/outside-folder/", 404},
    {"/outside-folder", 404},
    {"/absolute-link", 404},
    {"/magic/", 404},
    {"/magic", 404},
    {"/loop", 404},
    {"/fifo", 404},
};

START_TEST(test_refusals)
{
    ck_assert_msg(tree_ask("GET", refusals[_i].path) == refusals[_i].status, "%s: %d",
                  refusals[_i].path, asked.status);
}
END_TEST

/* http never hands such a path on; the kernel would not follow it either. */
START_TEST(test_dots)
{
    ck_assert_int_ne(tree_ask("GET", "/../secret.txt"), 200);
    ck_assert_int_ne(tree_ask("GET", "/sub/../../secret.txt"), 200);
}
END_TEST

START_TEST(test_links)
{
    tree_serves("/inside-link.txt", TEXT, "a text");
    int before = tree.descriptors;
    tree_configure(true);
    tree_serves("/outside-link.txt", TEXT, "secret");
    tree_serves("/outside-folder/o.txt", TEXT, "outside");
    ck_assert_int_eq(tree_ask("GET", "/absolute-link"), 200);
    ck_assert_int_eq(tree_ask("GET", "/magic/"), 404);
    ck_assert_int_gt(tree.descriptors, before);
}
END_TEST

START_TEST(test_long_names)
{
    char *name = malloc(9000);
    memset(name, 'a', 9000);
    name[0] = '/';
    name[8999] = '\0';
    ck_assert_int_eq(tree_ask("GET", name), 404);
    name[8998] = '/';
    ck_assert_int_eq(tree_ask("GET", name), 404);
    free(name);
}
END_TEST

START_TEST(test_no_permission)
{
    if (geteuid() == 0)
        return; /* root may read anything */
    char path[256];
    snprintf(path, sizeof path, "%s/a.txt", tree.root);
    ck_assert_int_eq(chmod(path, 0), 0);
    ck_assert_int_eq(tree_ask("GET", "/a.txt"), 403);
}
END_TEST

START_TEST(test_methods)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(tree_ask(methods[i], "/a.txt"), 405);
        ck_assert_str_eq(asked.fields, "Allow: GET, HEAD, OPTIONS\n");
    }
    ck_assert_int_eq(tree_ask("OPTIONS", "/a.txt"), 204);
    ck_assert_str_eq(asked.fields, "Allow: GET, HEAD, OPTIONS\n");
}
END_TEST

START_TEST(test_redirect)
{
    ck_assert_int_eq(tree_ask("GET", "/sub"), 301);
    ck_assert_str_eq(asked.fields, "Location: /sub/\n");
    ck_assert_int_eq(tree_ask("GET", "/d ir\xc3\xa4"), 301);
    ck_assert_str_eq(asked.fields, "Location: /d%20ir%C3%A4/\n");
    asked.prefix = 6;
    ck_assert_int_eq(tree_ask("GET", "/files"), 301);
    ck_assert_str_eq(asked.fields, "Location: /files/\n");
    ck_assert_int_eq(tree_ask("GET", "/files/sub"), 301);
    ck_assert_str_eq(asked.fields, "Location: /files/sub/\n");
    tree_serves("/files/", HTML, "<p>index");
    tree_serves("/files/a.txt", TEXT, "a text");
    asked.prefix = 0;
}
END_TEST

START_TEST(test_redirect_keeps_the_query)
{
    tree_ask_query("GET", "/sub", "a=%20&b");
    ck_assert_str_eq(asked.fields, "Location: /sub/?a=%20&b\n");
    tree_ask_query("GET", "/sub", "\"<\xc3\xa4>\\?/"); /* RFC 3986, 3.4 */
    ck_assert_str_eq(asked.fields, "Location: /sub/?%22%3C%C3%A4%3E%5C?/\n");
}
END_TEST

START_TEST(test_not_modified)
{
    char path[256];
    snprintf(path, sizeof path, "%s/a.txt", tree.root);
    struct timespec times[2] = {{.tv_sec = 1795215662}, {.tv_sec = 1795215662}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    tree_serves("/a.txt", TEXT, "a text");
    ck_assert_str_eq(asked.fields, "Last-Modified: Fri, 20 Nov 2026 23:01:02 GMT\n"
                                   "Accept-Ranges: bytes\nETag: \"6-18e9e32214ba4c00\"\n");
    asked.since = "Fri, 20 Nov 2026 23:01:02 GMT";
    ck_assert_int_eq(tree_ask("GET", "/a.txt"), 304);
    ck_assert_str_eq(asked.fields, "ETag: \"6-18e9e32214ba4c00\"\n");
    asked.since = "Fri, 20 Nov 2026 23:01:01 GMT";
    ck_assert_int_eq(tree_ask("GET", "/a.txt"), 200);
    asked.since = NULL;
}
END_TEST

START_TEST(test_walk_follows_no_link)
{
    int slash = open("/", O_PATH | O_DIRECTORY);
    ck_assert_int_eq(below_open(slash, "proc/self/fd", 0, O_RDONLY), -1);
    ck_assert_int_eq(errno, ENOTDIR); /* "self" is a link, not a folder */
    ck_assert_int_eq(below_open(slash, "proc/../etc", 0, O_RDONLY), -1);
    ck_assert_int_eq(errno, EXDEV);
    int file = below_open(slash, "proc/sys//kernel/ostype", 0, O_RDONLY);
    ck_assert_int_ge(file, 0);
    close(file);
    ck_assert_int_eq(below_open(slash, "proc/sys/kernel/ostype/", 0, O_RDONLY), -1);
    int folder = below_open(slash, "", 0, O_PATH | O_DIRECTORY);
    ck_assert_int_ge(folder, 0);
    close(folder);
    close(slash);
}
END_TEST

UNIT_MAIN_AROUND("static", tree_set_up, tree_tear_down, ONCE(test_files), ONCE(test_head),
                 ONCE(test_large_file), EACH(test_refusals, refusals), ONCE(test_dots),
                 ONCE(test_links), ONCE(test_long_names), ONCE(test_no_permission),
                 ONCE(test_methods), ONCE(test_redirect), ONCE(test_redirect_keeps_the_query),
                 ONCE(test_not_modified), WALKED(test_files, 1), WALKED(test_head, 1),
                 WALKED(test_refusals, sizeof refusals / sizeof *refusals), WALKED(test_dots, 1),
                 WALKED(test_long_names, 1), WALKED(test_redirect, 1),
                 WALKED(test_walk_follows_no_link, 1))
