/* static: against a temporary tree, with a request of our own in place of http's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../modules/static/below.h"
#include "../../modules/static/types.h"
#include "fake-reeve.h"
#include "fake-turns.h"
#include "unit.h"

#ifndef RESOLVE_CACHED /* headers of before Linux 5.12 */
#define RESOLVE_CACHED 0x20
#endif

extern const reeve_module reeve_module_descriptor;

/* ---------------------------------------------------------------- a request --------- */

static struct {
    struct reeve_request public; /* first */
    const char *method, *path, *query, *since, *accept, *encodings;
    size_t prefix; /* length of the route's prefix */
    int status;
    char type[128];
    char fields[4096];
    char body[65536];
    size_t length;
    bool by_file;
} asked;

static const char *get_method(const reeve_request *r) { return (void)r, asked.method; }
static const char *get_path(const reeve_request *r) { return (void)r, asked.path; }
static const char *get_query(const reeve_request *r) { return (void)r, asked.query; }

static const char *get_rest(const reeve_request *r)
{
    (void)r;
    return asked.path[asked.prefix] != '\0' ? asked.path + asked.prefix : "/";
}

static const char *get_header(const reeve_request *r, const char *name)
{
    (void)r;
    return strcmp(name, "If-Modified-Since") == 0 ? asked.since
           : strcmp(name, "Accept") == 0          ? asked.accept
           : strcmp(name, "Accept-Encoding") == 0 ? asked.encodings
                                                  : NULL;
}

static int set_header(reeve_request *r, const char *name, const char *value)
{
    (void)r;
    size_t end = strlen(asked.fields);
    snprintf(asked.fields + end, sizeof asked.fields - end, "%s: %s\n", name, value);
    return 0;
}

static int reply(reeve_request *r, int status, const char *type, const void *body, size_t length)
{
    (void)r;
    ck_assert_int_eq(asked.status, 0);
    asked.status = status;
    snprintf(asked.type, sizeof asked.type, "%s", type != NULL ? type : "");
    if (length > 0)
        memcpy(asked.body, body, length);
    asked.length = length;
    return 0;
}

static int reply_file(reeve_request *r, int status, const char *type, int fd, off_t offset,
                      size_t length)
{
    reply(r, status, type, NULL, 0);
    asked.by_file = true;
    asked.length = length;
    ck_assert_int_eq(pread(fd, asked.body, length, offset), (ssize_t)length);
    ck_assert_int_eq(close(fd), 0);
    return 0;
}

static int reply_status(reeve_request *r, int status)
{
    return reply(r, status, NULL, NULL, 0);
}

static const struct reeve_http_api api = {
    .method = get_method, .path = get_path, .rest = get_rest, .query = get_query,
    .header = get_header, .set_header = set_header, .reply = reply, .reply_file = reply_file,
    .reply_status = reply_status, TURNS_API,
};

/* ---------------------------------------------------------------- a tree ------------ */

#define OCTETS "application/octet-stream"

static char base[64], root[80];
static void *config;
static int descriptors;

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", base, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", base, name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void link_to(const char *target, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", base, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

/* The next free descriptor: the same before and after, or one was lost. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static const char *fallback = "";
static size_t precompressed; /* 1: gzip */
static size_t extensions;    /* how many of { ".txt", ".html" } */

static void configure(bool symlinks)
{
    static const char *const index[] = {"index.html", "index.txt"};
    static const char *const codings[] = {"gzip"};
    static const char *const endings[] = {".txt", ".html"};
    const struct fake_value values[] = {{.name = "root", .text = root},
                                        {.name = "index", .items = index, .count = 2},
                                        {.name = "extensions", .items = endings,
                                         .count = extensions},
                                        {.name = "symlinks", .number = symlinks},
                                        {.name = "fallback", .text = fallback},
                                        {.name = "precompressed", .items = codings,
                                         .count = precompressed},
                                        {.name = "dotfiles", .text = "hide"},
                                        {.name = "default_type", .text = OCTETS},
                                        {.name = "charset", .text = "utf-8"},
                                        {0}};
    static struct fake_value kept[sizeof values / sizeof *values];
    memcpy(kept, values, sizeof values);
    reeve_section section = {.values = kept};
    const reeve_handler *handler = reeve_module_descriptor.handler;
    ck_assert_int_eq(handler->configure(&section, "/", &config), 0);
    descriptors = next_descriptor();
}

static void set_up(void)
{
    strcpy(base, "/tmp/test-static-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(root, sizeof root, "%s/root", base);
    put("secret.txt", "secret");
    folder("outside");
    put("outside/o.txt", "outside");
    folder("root");
    put("root/index.html", "<p>index");
    put("root/a.txt", "a text");
    put("root/UPPER.HTML", "upper");
    put("root/noext", "none");
    put("root/a b%.txt", "blank");
    put("root/empty.txt", "");
    put("root/.hidden", "hidden");
    folder("root/.git");
    put("root/.git/config", "hidden");
    folder("root/.well-known");
    put("root/.well-known/acme.txt", "acme");
    put("root/.well-known/.hidden", "hidden");
    put("root/.well-known.bak", "old");
    folder("root/sub");
    put("root/sub/index.txt", "sub index");
    folder("root/sub/bare");
    folder("root/d ir\xc3\xa4");
    folder("root/odd");
    folder("root/odd/index.html");
    put("root/odd/index.txt", "second");
    link_to("a.txt", "root/inside-link.txt");
    link_to("../secret.txt", "root/outside-link.txt");
    link_to("../outside", "root/outside-folder");
    link_to("/etc/passwd", "root/absolute-link");
    link_to("/proc/self/cwd", "root/magic");
    link_to("loop", "root/loop");
    char fifo[256];
    snprintf(fifo, sizeof fifo, "%s/fifo", root);
    ck_assert_int_eq(mkfifo(fifo, 0644), 0);
    configure(false);
}

static void tear_down(void)
{
    char command[256];
    ck_assert_int_eq(next_descriptor(), descriptors);
    turns_forget();
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -r %s", base, base);
    ck_assert_int_eq(system(command), 0);
    reeve_module_descriptor.worker_exit();
}

/* In the loop, and if it is to be asked there, in the pool. */
static void handle(void)
{
    turns_forget();
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(&asked.public, config), 0);
    if (!turns.again)
        return;
    ck_assert_int_eq(asked.status, 0);
    asked.fields[0] = '\0';
    turns.waits = true;
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(&asked.public, config), 0);
}

static int ask(const char *method, const char *path)
{
    const char *since = asked.since, *accept = asked.accept, *encodings = asked.encodings;
    size_t prefix = asked.prefix;
    memset(&asked, 0, sizeof asked);
    asked.public.api = &api;
    asked.method = method;
    asked.path = path;
    asked.query = "";
    asked.since = since;
    asked.accept = accept;
    asked.encodings = encodings;
    asked.prefix = prefix;
    handle();
    return asked.status;
}

static void serves(const char *path, const char *type, const char *body)
{
    ck_assert_msg(ask("GET", path) == 200, "%s: %d", path, asked.status);
    ck_assert_str_eq(asked.type, type);
    ck_assert_uint_eq(asked.length, strlen(body));
    ck_assert_int_eq(memcmp(asked.body, body, asked.length), 0);
}

#define TEXT "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"

START_TEST(test_files)
{
    serves("/a.txt", TEXT, "a text");
    serves("/UPPER.HTML", HTML, "upper");
    serves("/noext", OCTETS, "none");
    serves("/a b%.txt", TEXT, "blank");
    serves("/empty.txt", TEXT, "");
    serves("/", HTML, "<p>index");
    serves("/sub/", TEXT, "sub index");
    serves("/.well-known/acme.txt", TEXT, "acme");
    serves("/odd/", TEXT, "second"); /* a folder is no index file */
}
END_TEST

static void configure_packed(void)
{
    precompressed = 1;
    configure(false);
}

/* Whether the loop leaves names to the pool that nobody has looked for. Where it does, the kernel
 * knows nothing of this one. */
static bool leaves_cold_names(void)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    unsigned how = below_unwaiting(fd);
    ck_assert_int_eq(below_open(fd, "nobody-asked", how, O_RDONLY), -1);
    ck_assert_int_eq(errno, how == BELOW_CACHED ? EAGAIN : ENOENT);
    close(fd);
    return how == BELOW_CACHED;
}

/* Whether the file system keeps nothing of missing names, as some of a network. */
static bool forgets_missing_names(void)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
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
    ck_assert_int_eq(ask("GET", "/nobody-asked-this"), 404);
    ck_assert_int_eq(turns.waits, cold);
    ck_assert_int_eq(ask("GET", "/nobody/asked"), 404);
    ck_assert_int_eq(turns.waits, cold);
    ck_assert_int_eq(ask("GET", "/a.txt"), 200); /* it was written a moment ago */
    ck_assert(!turns.waits);
    ck_assert_int_eq(ask("GET", "/sub"), 301);
    ck_assert(!turns.waits);
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
    is_unwaiting(root);
    is_unwaiting("/dev/shm");
}
END_TEST

START_TEST(test_cold_siblings_are_for_the_pool)
{
    bool cold = leaves_cold_names();
    configure_packed();
    asked.encodings = "gzip";
    serves("/a.txt", TEXT, "a text");
    ck_assert_int_eq(turns.waits, cold);
    serves("/a.txt", TEXT, "a text");
    ck_assert_int_eq(turns.waits, forgets_missing_names());
    put("root/b.txt", "b text");
    serves("/b.txt", TEXT, "b text");
    ck_assert_int_eq(turns.waits, cold);
    put("root/b.txt.gz", "packed");
    serves("/b.txt", TEXT, "packed");
    ck_assert(!turns.waits);
    asked.encodings = NULL;
    serves("/a.txt", TEXT, "a text");
    ck_assert(!turns.waits);
}
END_TEST

START_TEST(test_cold_fallback_is_for_the_pool)
{
    bool cold = leaves_cold_names();
    ck_assert_int_eq(ask("GET", "/none"), 404);
    asked.accept = "text/html";
    fallback = "/a.txt";
    configure(false);
    serves("/none", TEXT, "a text");
    ck_assert_int_eq(turns.waits, forgets_missing_names());
    fallback = "/nobody-wrote-this";
    configure(false);
    ck_assert_int_eq(ask("GET", "/none"), 404);
    ck_assert_int_eq(turns.waits, cold);
    asked.accept = NULL;
    fallback = "";
}
END_TEST

START_TEST(test_head)
{
    ck_assert_int_eq(ask("HEAD", "/a.txt"), 200);
    ck_assert_uint_eq(asked.length, 6);
}
END_TEST

START_TEST(test_large_file)
{
    char big[20001];
    memset(big, 'x', 20000);
    big[20000] = '\0';
    put("root/big.txt", big);
    serves("/big.txt", TEXT, big);
    ck_assert(asked.by_file);
    big[16384] = '\0';
    put("root/small.txt", big);
    serves("/small.txt", TEXT, big);
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
    ck_assert_msg(ask("GET", refusals[_i].path) == refusals[_i].status, "%s: %d",
                  refusals[_i].path, asked.status);
}
END_TEST

/* http never hands such a path on; the kernel would not follow it either. */
START_TEST(test_dots)
{
    ck_assert_int_ne(ask("GET", "/../secret.txt"), 200);
    ck_assert_int_ne(ask("GET", "/sub/../../secret.txt"), 200);
}
END_TEST

START_TEST(test_links)
{
    serves("/inside-link.txt", TEXT, "a text");
    int before = descriptors;
    configure(true);
    serves("/outside-link.txt", TEXT, "secret");
    serves("/outside-folder/o.txt", TEXT, "outside");
    ck_assert_int_eq(ask("GET", "/absolute-link"), 200);
    ck_assert_int_eq(ask("GET", "/magic/"), 404);
    ck_assert_int_gt(descriptors, before);
}
END_TEST

START_TEST(test_long_names)
{
    char *name = malloc(9000);
    memset(name, 'a', 9000);
    name[0] = '/';
    name[8999] = '\0';
    ck_assert_int_eq(ask("GET", name), 404);
    name[8998] = '/';
    ck_assert_int_eq(ask("GET", name), 404);
    free(name);
}
END_TEST

START_TEST(test_no_permission)
{
    if (geteuid() == 0)
        return; /* root may read anything */
    char path[256];
    snprintf(path, sizeof path, "%s/a.txt", root);
    ck_assert_int_eq(chmod(path, 0), 0);
    ck_assert_int_eq(ask("GET", "/a.txt"), 403);
}
END_TEST

START_TEST(test_methods)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(methods[i], "/a.txt"), 405);
        ck_assert_str_eq(asked.fields, "Allow: GET, HEAD, OPTIONS\n");
    }
    ck_assert_int_eq(ask("OPTIONS", "/a.txt"), 204);
    ck_assert_str_eq(asked.fields, "Allow: GET, HEAD, OPTIONS\n");
}
END_TEST

START_TEST(test_redirect)
{
    ck_assert_int_eq(ask("GET", "/sub"), 301);
    ck_assert_str_eq(asked.fields, "Location: /sub/\n");
    ck_assert_int_eq(ask("GET", "/d ir\xc3\xa4"), 301);
    ck_assert_str_eq(asked.fields, "Location: /d%20ir%C3%A4/\n");
    asked.prefix = 6;
    ck_assert_int_eq(ask("GET", "/files"), 301);
    ck_assert_str_eq(asked.fields, "Location: /files/\n");
    ck_assert_int_eq(ask("GET", "/files/sub"), 301);
    ck_assert_str_eq(asked.fields, "Location: /files/sub/\n");
    serves("/files/", HTML, "<p>index");
    serves("/files/a.txt", TEXT, "a text");
    asked.prefix = 0;
}
END_TEST

START_TEST(test_redirect_keeps_the_query)
{
    memset(&asked, 0, sizeof asked);
    asked.public.api = &api;
    asked.method = "GET";
    asked.path = "/sub";
    asked.query = "a=%20&b";
    handle();
    ck_assert_str_eq(asked.fields, "Location: /sub/?a=%20&b\n");
    memset(asked.fields, 0, sizeof asked.fields);
    asked.status = 0;
    asked.query = "\"<\xc3\xa4>\\?/"; /* RFC 3986, 3.4 */
    handle();
    ck_assert_str_eq(asked.fields, "Location: /sub/?%22%3C%C3%A4%3E%5C?/\n");
}
END_TEST

START_TEST(test_not_modified)
{
    char path[256];
    snprintf(path, sizeof path, "%s/a.txt", root);
    struct timespec times[2] = {{.tv_sec = 1795215662}, {.tv_sec = 1795215662}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    serves("/a.txt", TEXT, "a text");
    ck_assert_str_eq(asked.fields, "Last-Modified: Fri, 20 Nov 2026 23:01:02 GMT\n"
                                   "Accept-Ranges: bytes\nETag: \"6-18e9e32214ba4c00\"\n");
    asked.since = "Fri, 20 Nov 2026 23:01:02 GMT";
    ck_assert_int_eq(ask("GET", "/a.txt"), 304);
    ck_assert_str_eq(asked.fields, "ETag: \"6-18e9e32214ba4c00\"\n");
    asked.since = "Fri, 20 Nov 2026 23:01:01 GMT";
    ck_assert_int_eq(ask("GET", "/a.txt"), 200);
    asked.since = NULL;
}
END_TEST

static void fall_back_to(const char *name)
{
    fallback = name;
    configure(false);
}

START_TEST(test_fallback)
{
    static const char *const missing[] = {"/none", "/none/", "/sub/none/at.all", "/a.txt/b",
                                          "/a.txt/", "/a.txt/b/", "/outside-link.txt", "/loop"};
    asked.accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    ck_assert_int_eq(ask("GET", "/none"), 404);
    ck_assert_str_eq(asked.fields, "");
    fall_back_to("/index.html");
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        serves(missing[i], HTML, "<p>index");
        ck_assert_ptr_nonnull(strstr(asked.fields, "Vary: Accept\n"));
    }
    ck_assert_int_eq(ask("HEAD", "/none"), 200);
    serves("/a.txt", TEXT, "a text");
    serves("/sub/", TEXT, "sub index");
    ck_assert_int_eq(ask("GET", "/sub"), 301);
    ck_assert_int_eq(ask("GET", "/sub/bare/"), 403);
    static const char *const hidden[] = {"/.hidden", "/.git/config", "/.none", "/sub/.none/x"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        ck_assert_int_eq(ask("GET", hidden[i]), 404);
    ck_assert_int_eq(ask("POST", "/none"), 405);
    asked.accept = "*/*";
    ck_assert_int_eq(ask("GET", "/none.js"), 404);
    ck_assert_str_eq(asked.fields, "Vary: Accept\n");
    asked.accept = NULL;
    ck_assert_int_eq(ask("GET", "/none.js"), 404);
}
END_TEST

/* A fallback that is not there, or no file, is no more found than what was asked for. */
START_TEST(test_fallback_missing)
{
    static const char *const names[] = {"/later.html", "/sub", "/outside-link.txt"};
    asked.accept = "text/html";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fall_back_to(names[i]);
        ck_assert_int_eq(ask("GET", "/none"), 404);
    }
    asked.accept = NULL;
}
END_TEST

/* What is there comes first, and a folder is no file. */
START_TEST(test_extensions)
{
    bool cold = leaves_cold_names();
    put("root/index.txt", "text index");
    folder("root/page.txt");
    put("root/page.html", "<p>page");
    ck_assert_int_eq(ask("GET", "/page"), 404);
    extensions = 2;
    configure(false);
    serves("/a", TEXT, "a text");
    serves("/page", HTML, "<p>page");
    serves("/index", TEXT, "text index");
    serves("/sub/index", TEXT, "sub index");
    serves("/noext", OCTETS, "none");
    ck_assert_int_eq(ask("GET", "/sub"), 301);
    static const char *const none[] = {"/none", "/a/", "/a.txt/index", "/outside-link", "/fifo",
                                       "/.well-known/.hidden", "/../secret"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(ask("GET", none[i]) == 404, "%s: %d", none[i], asked.status);
    ck_assert_int_eq(ask("GET", "/nobody-wrote-this"), 404);
    ck_assert_int_eq(turns.waits, cold);
    asked.accept = "text/html";
    fallback = "/a.txt";
    configure(false);
    serves("/page", HTML, "<p>page");
    serves("/none", TEXT, "a text");
    asked.accept = NULL;
    fallback = "";
    extensions = 0;
}
END_TEST

START_TEST(test_extra_fields)
{
    put("root/a.txt.gz", "packed");
    static const char *const codings[] = {"br", "gzip"};
    static const char *const lines[] = {"X-A: one", "X-B:\ttwo, three ", "X-C:"};
    static struct fake_value values[7];
    values[4] = (struct fake_value){.name = "default_type", .text = OCTETS};
    values[5] = (struct fake_value){.name = "charset", .text = "utf-8"};
    values[0] = (struct fake_value){.name = "root", .text = root};
    values[1] = (struct fake_value){.name = "precompressed", .items = codings, .count = 2};
    values[2] = (struct fake_value){.name = "headers", .items = lines, .count = 3};
    values[3] = (struct fake_value){.name = "cache_control", .text = "no-cache"};
    reeve_section section = {.values = values};
    const reeve_handler *handler = reeve_module_descriptor.handler;
    ck_assert_int_eq(handler->configure(&section, "/", &config), 0);
    descriptors = next_descriptor();
    ck_assert_int_eq(ask("GET", "/none"), 404);
    ck_assert_str_eq(asked.fields, "X-A: one\nX-B: two, three\nX-C: \n");
    serves("/a.txt", TEXT, "a text");
    ck_assert_ptr_nonnull(strstr(asked.fields, "\nVary: Accept-Encoding\n"));
    ck_assert_ptr_nonnull(strstr(asked.fields, "\nCache-Control: no-cache\n"));
    ck_assert_ptr_null(strstr(asked.fields, "Content-Encoding"));
}
END_TEST

static void refused(const struct fake_value *values, const char *text)
{
    void *ignored = NULL;
    reeve_section section = {.values = values};
    ck_assert_int_eq(reeve_module_descriptor.handler->configure(&section, "/", &ignored), -1);
    ck_assert_msg(strstr(fake_error, text) != NULL, "%s", fake_error);
}

START_TEST(test_configuration_refused)
{
    refused((struct fake_value[]){{.name = "root", .text = ""}, {0}}, "needs a root");
    static const char *const bad[] = {"index.html", "/", "/sub/", "/.hidden", "/a/../.git"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused((struct fake_value[]){{.name = "root", .text = root},
                                      {.name = "fallback", .text = bad[i]},
                                      {0}},
                "fallback: \"");
    refused((struct fake_value[]){{.name = "root", .text = "/nonexistent"}, {0}},
            "root: cannot open the folder \"/nonexistent\": No such file");
#define LIST(option, ...)                                                                          \
    (struct fake_value[])                                                                          \
    {                                                                                              \
        {.name = "root", .text = root}, {.name = option,                                           \
                                         .items = (const char *const[]){__VA_ARGS__},              \
                                         .count = sizeof((const char *[]){__VA_ARGS__}) /          \
                                                  sizeof(char *)}, {0}                             \
    }
    refused(LIST("extensions", ".html", "/index.html"), "\"/index.html\" is not a file name");
    refused(LIST("index", ""), "\"\" is not a file name");
    refused(LIST("precompressed", "gz"), "\"gz\" is no content coding known here: write br");
    refused(LIST("precompressed", "br", "gzip", "br"), "\"br\" stands there twice");
    refused(LIST("headers", "X-A: b", "no colon"), "\"no colon\" is no header");
    refused(LIST("headers", ": b"), "is no header");
    refused(LIST("headers", "X A: b"), "is no header");
    refused(LIST("headers", "X-A : b"), "is no header");
    refused(LIST("headers", "X-A: b\r\nX-B: c"), "is no header");
    refused(LIST("headers", "content-length: 1"), "content-length is written by the server");
    refused(LIST("headers", "ETag: x"), "ETag is written by the server itself");
    refused(LIST("headers", "Cache-control: x"), "set cache_control");
    refused((struct fake_value[]){{.name = "root", .text = root},
                                  {.name = "cache_control", .text = "a\nb"}, {0}},
            "cache_control: there is a control character");
    refused((struct fake_value[]){{.name = "root", .text = "/etc/passwd"}, {0}}, "Not a directory");
}
END_TEST

START_TEST(test_types)
{
    struct types types = {.fallback = (char *)OCTETS};
    types_unload();
    ck_assert_str_eq(types_find(&types, "x.unheard-of"), OCTETS);
    ck_assert_str_eq(types_find(&types, "a.b/c"), OCTETS);
    ck_assert_str_eq(types_find(&types, "x."), OCTETS);
    put("mime.types", "# comment\n\ntext/x-odd  unheard-of other\nimage/x-odd\tODD\n"
                      "application/wrong html\nimage/none\n");
    char path[256];
    snprintf(path, sizeof path, "%s/mime.types", base);
    types_load(path);
    ck_assert_str_eq(types_find(&types, "x.unheard-of"), "text/x-odd; charset=utf-8");
    ck_assert_str_eq(types_find(&types, "x.Other"), "text/x-odd; charset=utf-8");
    ck_assert_str_eq(types_find(&types, "x.odd"), "image/x-odd");
    ck_assert_str_eq(types_find(&types, "x.html"), HTML);
    static const char *const all[] = {"atom", "avif", "css", "htm", "jpg", "js", "json", "mjs",
                                      "png", "svg", "txt", "wasm", "webp", "woff", "woff2",
                                      "xml", "zip"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[32];
        snprintf(name, sizeof name, "x.%s", all[i]);
        ck_assert_str_ne(types_find(&types, name), OCTETS);
    }
}
END_TEST

/* The kernel says that it has no openat2: files are then found by walking, and links not at all. */
static void set_up_without_openat2(void)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    set_up();
}

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

/* Where the kernel has no openat2, the path is walked; a row as in unit.h. */
#define WALKED(run, count) {.test = (run), .times = (count), .setup = set_up_without_openat2}

UNIT_MAIN_AROUND("static", set_up, tear_down, ONCE(test_files),
                 ONCE(test_cold_names_are_for_the_pool), ONCE(test_cold_siblings_are_for_the_pool),
                 ONCE(test_cold_fallback_is_for_the_pool), ONCE(test_unwaiting),
                 ONCE(test_head),
                 ONCE(test_large_file), EACH(test_refusals, refusals), ONCE(test_dots),
                 ONCE(test_links), ONCE(test_long_names), ONCE(test_no_permission),
                 ONCE(test_methods), ONCE(test_redirect), ONCE(test_redirect_keeps_the_query),
                 ONCE(test_not_modified), ONCE(test_fallback), ONCE(test_fallback_missing),
                 ONCE(test_extensions), WALKED(test_extensions, 1),
                 ONCE(test_extra_fields),
                 ONCE(test_configuration_refused), ONCE(test_types),
                 WALKED(test_files, 1), WALKED(test_head, 1),
                 WALKED(test_refusals, sizeof refusals / sizeof *refusals), WALKED(test_dots, 1),
                 WALKED(test_long_names, 1), WALKED(test_redirect, 1),
                 WALKED(test_walk_follows_no_link, 1))
