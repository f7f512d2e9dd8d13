/* A temporary tree for tests of static; see static-tree.h. One tree a process. */
#include "config.h"

#include "static-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake-turns.h"
#include "unit.h"

struct asked asked;
struct tree tree = {.fallback = ""};

/* ---------------------------------------------------------------- a request --------- */

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

const char *tree_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", tree.base, name);
    return path;
}

void tree_put(const char *name, const char *text)
{
    int fd = open(tree_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

void tree_folder(const char *name)
{
    ck_assert_int_eq(mkdir(tree_path(name), 0755), 0);
}

void tree_link(const char *target, const char *name)
{
    ck_assert_int_eq(symlink(target, tree_path(name)), 0);
}

int tree_next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

int tree_configure_by(const struct fake_value *values)
{
    reeve_section section = {.values = values};
    int result = reeve_module_descriptor.handler->configure(&section, "/", &tree.config);
    tree.descriptors = tree_next_descriptor();
    return result;
}

void tree_configure(bool symlinks)
{
    static const char *const index[] = {"index.html", "index.txt"};
    static const char *const codings[] = {"gzip"};
    static const char *const endings[] = {".txt", ".html"};
    const struct fake_value values[] = {{.name = "root", .text = tree.root},
                                        {.name = "index", .items = index, .count = 2},
                                        {.name = "extensions", .items = endings,
                                         .count = tree.extensions},
                                        {.name = "symlinks", .number = symlinks},
                                        {.name = "fallback", .text = tree.fallback},
                                        {.name = "precompressed", .items = codings,
                                         .count = tree.precompressed},
                                        {.name = "dotfiles", .text = "hide"},
                                        {.name = "default_type", .text = OCTETS},
                                        {.name = "charset", .text = "utf-8"},
                                        {0}};
    static struct fake_value kept[sizeof values / sizeof *values];
    memcpy(kept, values, sizeof values);
    ck_assert_int_eq(tree_configure_by(kept), 0);
}

void tree_make(void)
{
    strcpy(tree.base, "/tmp/test-static-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree.base));
    strcpy(tree.root, tree.base);
    tree.descriptors = tree_next_descriptor();
}

void tree_set_up(void)
{
    tree_make();
    snprintf(tree.root, sizeof tree.root, "%s/root", tree.base);
    tree_put("secret.txt", "secret");
    tree_folder("outside");
    tree_put("outside/o.txt", "outside");
    tree_folder("root");
    tree_put("root/index.html", "<p>index");
    tree_put("root/a.txt", "a text");
    tree_put("root/UPPER.HTML", "upper");
    tree_put("root/noext", "none");
    tree_put("root/a b%.txt", "blank");
    tree_put("root/empty.txt", "");
    tree_put("root/.hidden", "hidden");
    tree_folder("root/.git");
    tree_put("root/.git/config", "hidden");
    tree_folder("root/.well-known");
    tree_put("root/.well-known/acme.txt", "acme");
    tree_put("root/.well-known/.hidden", "hidden");
    tree_put("root/.well-known.bak", "old");
    tree_folder("root/sub");
    tree_put("root/sub/index.txt", "sub index");
    tree_folder("root/sub/bare");
    tree_folder("root/d ir\xc3\xa4");
    tree_folder("root/odd");
    tree_folder("root/odd/index.html");
    tree_put("root/odd/index.txt", "second");
    tree_link("a.txt", "root/inside-link.txt");
    tree_link("../secret.txt", "root/outside-link.txt");
    tree_link("../outside", "root/outside-folder");
    tree_link("/etc/passwd", "root/absolute-link");
    tree_link("/proc/self/cwd", "root/magic");
    tree_link("loop", "root/loop");
    ck_assert_int_eq(mkfifo(tree_path("root/fifo"), 0644), 0);
    tree_configure(false);
}

void tree_tear_down(void)
{
    char command[256];
    ck_assert_int_eq(tree_next_descriptor(), tree.descriptors);
    turns_forget();
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -r %s", tree.base, tree.base);
    ck_assert_int_eq(system(command), 0);
    reeve_module_descriptor.worker_exit();
}

/* In the loop, and if it is to be asked there, in the pool. */
static void handle(void)
{
    turns_forget();
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(&asked.public, tree.config), 0);
    if (!turns.again)
        return;
    ck_assert_int_eq(asked.status, 0);
    asked.fields[0] = '\0';
    turns.waits = asked.waited = true;
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(&asked.public, tree.config), 0);
}

int tree_ask_query(const char *method, const char *path, const char *query)
{
    const char *since = asked.since, *accept = asked.accept, *encodings = asked.encodings;
    size_t prefix = asked.prefix;
    memset(&asked, 0, sizeof asked);
    asked.public.api = &api;
    asked.method = method;
    asked.path = path;
    asked.query = query;
    asked.since = since;
    asked.accept = accept;
    asked.encodings = encodings;
    asked.prefix = prefix;
    handle();
    return asked.status;
}

int tree_ask(const char *method, const char *path)
{
    return tree_ask_query(method, path, "");
}

void tree_serves(const char *path, const char *type, const char *body)
{
    ck_assert_msg(tree_ask("GET", path) == 200, "%s: %d", path, asked.status);
    ck_assert_str_eq(asked.type, type);
    ck_assert_uint_eq(asked.length, strlen(body));
    ck_assert_int_eq(memcmp(asked.body, body, asked.length), 0);
}

void tree_set_up_walked(void)
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
    tree_set_up();
}
