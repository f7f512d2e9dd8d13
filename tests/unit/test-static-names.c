/* static: names that are not there as they were asked for, and those that only the pool may look
 * for. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../modules/static/below.h"
#include "static-tree.h"
#include "unit.h"

#ifndef RESOLVE_CACHED /* headers of before Linux 5.12 */
#define RESOLVE_CACHED 0x20
#endif

/* ---------------------------------------------------------------- cold names -------- */

static void configure_packed(void)
{
    tree.precompressed = 1;
    tree_configure(false);
}

/* Whether the loop leaves names to the pool that nobody has looked for. Where it does, the kernel
 * knows nothing of this one. */
static bool leaves_cold_names(void)
{
    int fd = open(tree.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    unsigned how = below_unwaiting(fd);
    ck_assert_int_eq(below_open(fd, "nobody-asked", how, O_RDONLY), -1);
    ck_assert_int_eq(errno, how == BELOW_CACHED ? EAGAIN : ENOENT);
    close(fd);
    return how == BELOW_CACHED;
}

/* Whether the file system keeps nothing of missing names, as some of a network. */
static bool forgets_missing_names(void)
{
    int fd = open(tree.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    unsigned how = below_unwaiting(fd);
    ck_assert_int_eq(below_open(fd, "somebody-asked", 0, O_RDONLY), -1);
    ck_assert_int_eq(below_open(fd, "somebody-asked", how, O_RDONLY), -1);
    bool forgets = errno == EAGAIN;
    close(fd);
    return forgets;
}

START_TEST(test_cold_names_are_for_the_pool)
{
    bool cold = leaves_cold_names();
    ck_assert_int_eq(tree_ask("GET", "/nobody-asked-this"), 404);
    ck_assert_int_eq(asked.waited, cold);
    ck_assert_int_eq(tree_ask("GET", "/nobody/asked"), 404);
    ck_assert_int_eq(asked.waited, cold);
    ck_assert_int_eq(tree_ask("GET", "/a.txt"), 200); /* it was written a moment ago */
    ck_assert(!asked.waited);
    ck_assert_int_eq(tree_ask("GET", "/sub"), 301);
    ck_assert(!asked.waited);
}
END_TEST

/* What lies in memory as a whole is never left to the pool, though it keeps no missing names. */
static void is_unwaiting(const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
    struct statfs fs;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* no such folder here */
    ck_assert_int_eq(fstatfs(fd, &fs), 0);
    long dot = syscall(SYS_openat2, fd, ".", &how, sizeof how);
    bool told = dot >= 0 && fs.f_type != TMPFS_MAGIC;
    ck_assert_uint_eq(below_unwaiting(fd), told ? BELOW_CACHED : 0);
    if (dot >= 0)
        close((int)dot);
    close(fd);
}

START_TEST(test_unwaiting)
{
    is_unwaiting(tree.root);
    is_unwaiting("/dev/shm");
}
END_TEST

START_TEST(test_cold_siblings_are_for_the_pool)
{
    bool cold = leaves_cold_names();
    configure_packed();
    asked.encodings = "gzip";
    tree_serves("/a.txt", TEXT, "a text");
    ck_assert_int_eq(asked.waited, cold);
    tree_serves("/a.txt", TEXT, "a text");
    ck_assert_int_eq(asked.waited, forgets_missing_names());
    tree_put("root/b.txt", "b text");
    tree_serves("/b.txt", TEXT, "b text");
    ck_assert_int_eq(asked.waited, cold);
    tree_put("root/b.txt.gz", "packed");
    tree_serves("/b.txt", TEXT, "packed");
    ck_assert(!asked.waited);
    asked.encodings = NULL;
    tree_serves("/a.txt", TEXT, "a text");
    ck_assert(!asked.waited);
}
END_TEST

START_TEST(test_cold_fallback_is_for_the_pool)
{
    bool cold = leaves_cold_names();
    ck_assert_int_eq(tree_ask("GET", "/none"), 404);
    asked.accept = "text/html";
    tree.fallback = "/a.txt";
    tree_configure(false);
    tree_serves("/none", TEXT, "a text");
    ck_assert_int_eq(asked.waited, forgets_missing_names());
    tree.fallback = "/nobody-wrote-this";
    tree_configure(false);
    ck_assert_int_eq(tree_ask("GET", "/none"), 404);
    ck_assert_int_eq(asked.waited, cold);
    asked.accept = NULL;
    tree.fallback = "";
}
END_TEST

/* ---------------------------------------------------------------- other names ------- */

static void fall_back_to(const char *name)
{
    tree.fallback = name;
    tree_configure(false);
}

START_TEST(test_fallback)
{
    static const char *const missing[] = {"/none", "/none/", "/sub/none/at.all", "/a.txt/b",
                                          "/a.txt/", "/a.txt/b/", "/outside-link.txt", "/loop"};
    asked.accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    ck_assert_int_eq(tree_ask("GET", "/none"), 404);
    ck_assert_str_eq(asked.fields, "");
    fall_back_to("/index.html");
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        tree_serves(missing[i], HTML, "<p>index");
        ck_assert_ptr_nonnull(strstr(asked.fields, "Vary: Accept\n"));
    }
    ck_assert_int_eq(tree_ask("HEAD", "/none"), 200);
    tree_serves("/a.txt", TEXT, "a text");
    tree_serves("/sub/", TEXT, "sub index");
    ck_assert_int_eq(tree_ask("GET", "/sub"), 301);
    ck_assert_int_eq(tree_ask("GET", "/sub/bare/"), 403);
    static const char *const hidden[] = {"/.hidden", "/.git/config", "/.none", "/sub/.none/x"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        ck_assert_int_eq(tree_ask("GET", hidden[i]), 404);
    ck_assert_int_eq(tree_ask("POST", "/none"), 405);
    asked.accept = "*/*";
    ck_assert_int_eq(tree_ask("GET", "/none.js"), 404);
    ck_assert_str_eq(asked.fields, "Vary: Accept\n");
    asked.accept = NULL;
    ck_assert_int_eq(tree_ask("GET", "/none.js"), 404);
}
END_TEST

/* A fallback that is not there, or no file, is no more found than what was asked for. */
START_TEST(test_fallback_missing)
{
    static const char *const names[] = {"/later.html", "/sub", "/outside-link.txt"};
    asked.accept = "text/html";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fall_back_to(names[i]);
        ck_assert_int_eq(tree_ask("GET", "/none"), 404);
    }
    asked.accept = NULL;
}
END_TEST

/* What is there comes first, and a folder is no file. */
START_TEST(test_extensions)
{
    bool cold = leaves_cold_names();
    tree_put("root/index.txt", "text index");
    tree_folder("root/page.txt");
    tree_put("root/page.html", "<p>page");
    ck_assert_int_eq(tree_ask("GET", "/page"), 404);
    tree.extensions = 2;
    tree_configure(false);
    tree_serves("/a", TEXT, "a text");
    tree_serves("/page", HTML, "<p>page");
    tree_serves("/index", TEXT, "text index");
    tree_serves("/sub/index", TEXT, "sub index");
    tree_serves("/noext", OCTETS, "none");
    ck_assert_int_eq(tree_ask("GET", "/sub"), 301);
    static const char *const none[] = {"/none", "/a/", "/a.txt/index", "/outside-link", "/fifo",
                                       "/.well-known/.hidden", "/../secret"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(tree_ask("GET", none[i]) == 404, "%s: %d", none[i], asked.status);
    ck_assert_int_eq(tree_ask("GET", "/nobody-wrote-this"), 404);
    ck_assert_int_eq(asked.waited, cold);
    asked.accept = "text/html";
    tree.fallback = "/a.txt";
    tree_configure(false);
    tree_serves("/page", HTML, "<p>page");
    tree_serves("/none", TEXT, "a text");
    asked.accept = NULL;
    tree.fallback = "";
    tree.extensions = 0;
}
END_TEST

UNIT_MAIN_AROUND("static-names", tree_set_up, tree_tear_down,
                 ONCE(test_cold_names_are_for_the_pool), ONCE(test_cold_siblings_are_for_the_pool),
                 ONCE(test_cold_fallback_is_for_the_pool), ONCE(test_unwaiting),
                 ONCE(test_fallback), ONCE(test_fallback_missing), ONCE(test_extensions),
                 WALKED(test_extensions, 1))
