/* What a worker may still do once it serves; see sandbox.h.
 *
 * Worker, main thread, before any other thread exists: then it holds for all of them, and for
 * whatever they start. What must hold: nothing breaks silently. A module that does not say what it
 * opens (REEVE_CONFINED) is not confined unless the operator says so, and then the log names it.
 * Each worker has the rules of its own configuration, until it ends. Log files need no rule: the
 * master opens them, and hands over descriptors. What is not in force is noted for the master. */
#include "config.h"

#include "worker/sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/sys.h"
#include "module/loader.h"
#include "worker/landlock.h"
#include "worker/strict.h"

#define MARK "reeve_module_is_confined" /* what REEVE_CONFINED defines */

/* What the C library and the libraries of modules may open at any time: names of hosts and users,
 * time zones, certificates, other libraries, facts about the machine. */
static const char *const readable[] = {
    "/etc/ssl",       "/etc/pki",         "/etc/ca-certificates", "/etc/hosts",
    "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf",   "/etc/gai.conf",
    "/etc/services",  "/etc/protocols",   "/etc/passwd",          "/etc/group",
    "/etc/localtime", "/etc/timezone",    "/etc/mime.types",      "/etc/ld.so.cache",
    "/lib",           "/lib64",           "/usr/lib",             "/usr/lib64",
    "/usr/local/lib", "/usr/share/zoneinfo", "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates", "/usr/share/i18n", "/run/systemd/resolve",
    "/dev/urandom",   "/dev/random",      "/dev/zero",            "/proc", "/sys",
};
static const char *const writable[] = {"/dev/null", "/dev/full"};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* What modules have named. */
struct named {
    struct named *next;
    unsigned what;
    char path[];
};
static struct named *names;
static bool strict_runs; /* programs, under the filter of this process */
static bool is_strict;

void reeve_opens(const char *path, unsigned what)
{
    struct named *named = malloc(sizeof(*named) + strlen(path) + 1);

    if (!named)
        return; /* then it cannot be opened, in a worker that is short of memory anyway */
    strcpy(named->path, path);
    named->what = what;
    named->next = names;
    names = named;
}

/* The file that this module came from; "" if that is not known. */
static const char *file_of(const reeve_module *module)
{
    Dl_info info;

    return dladdr(module, &info) && info.dli_fname ? info.dli_fname : "";
}

static bool names_its_files(const reeve_module *module)
{
    void *object = dlopen(file_of(module), RTLD_NOW | RTLD_NOLOAD);
    bool says = object && dlsym(object, MARK);

    if (object)
        dlclose(object);
    return says;
}

/* The first module that opens what nobody knows; NULL: there is none. */
static const reeve_module *unconfined(const struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        if (!names_its_files(modules->list[i]))
            return modules->list[i];
    return NULL;
}

/* To the log, and to the master by the note. */
__attribute__((format(printf, 3, 4))) static void tell(struct sandbox *sandbox, enum log_tag tag,
                                                       const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sandbox->note, sizeof(sandbox->note), format, arguments);
    va_end(arguments);
    if (!sandbox->quiet)
        log_msg(tag, "%s", sandbox->note);
}

static enum sandbox_level read_level(const reeve_section *root)
{
    const char *word = reeve_conf_string(root, "sandbox");

    if (strcmp(word, "off") == 0)
        return SANDBOX_OFF;
    if (strcmp(word, "strict") == 0)
        return SANDBOX_STRICT;
    return strcmp(word, "files") == 0 ? SANDBOX_FILES : SANDBOX_AUTO;
}

/* Is it to be a sandbox, with these modules? */
static void decide(struct sandbox *sandbox, const struct modules *modules)
{
    const reeve_module *open = sandbox->level == SANDBOX_OFF ? NULL : unconfined(modules);
    const char *preloaded = getenv("LD_PRELOAD");

    if (sandbox->level != SANDBOX_AUTO) {
        if (open)
            tell(sandbox, LOG_SANDBOX_GUESS, "the module %s does not say which files it opens: "
                 "whatever lies outside of sandbox_read and sandbox_write it is refused",
                 open->name);
        return;
    }
    if (preloaded && *preloaded) {
        sandbox->level = SANDBOX_OFF;
        tell(sandbox, LOG_SANDBOX, "workers are not confined: nobody knows which files the "
             "libraries of LD_PRELOAD open; sandbox = \"files\" confines them all the same");
        return;
    }
    sandbox->level = open ? SANDBOX_OFF : SANDBOX_FILES;
    if (open)
        tell(sandbox, LOG_SANDBOX, "workers are not confined: the module %s does not say which "
             "files it opens; sandbox = \"files\", with sandbox_read and sandbox_write, confines "
             "it all the same", open->name);
}

static bool listed_exist(const reeve_section *root, const char *option)
{
    bool ok = true;

    for (size_t i = 0; i < reeve_conf_count(root, option); i++) {
        const char *path = reeve_conf_item(root, option, i);

        if (path[0] != '/')
            reeve_conf_error(root, option, "\"%s\" is not an absolute path; write it from the root "
                             "on", path);
        else if (access(path, F_OK) < 0)
            reeve_conf_error(root, option, "%s cannot be found: %s; create it, or remove it here",
                             path, strerror(errno));
        else
            continue;
        ok = false;
    }
    return ok;
}

bool sandbox_is_possible(const reeve_section *root)
{
    bool ok = listed_exist(root, "sandbox_read");

    ok = listed_exist(root, "sandbox_write") && ok;
    return (read_level(root) != SANDBOX_STRICT || strict_is_possible(root)) && ok;
}

void sandbox_put_test(const reeve_section *root, struct buf *out)
{
    int rules;

    if (read_level(root) != SANDBOX_STRICT)
        return;
    rules = landlock_new();
    buf_printf(out, "sandbox = \"strict\": this kernel can confine system calls%s\n",
               rules >= 0 ? " and files" : ", but not files: it has no Landlock");
    sys_close(&rules);
}

static void allow_listed(int rules, const reeve_section *root, const char *option, unsigned what)
{
    for (size_t i = 0; i < reeve_conf_count(root, option); i++)
        landlock_allow(rules, reeve_conf_item(root, option, i), what);
}

static void allow_modules(int rules, const struct modules *modules)
{
    for (const struct named *named = names; named; named = named->next)
        landlock_allow(rules, named->path, named->what);
    for (size_t i = 0; i < modules->count; i++)
        landlock_allow(rules, file_of(modules->list[i]), REEVE_OPENS_TO_READ);
    landlock_allow(rules, "/proc/self/exe", REEVE_OPENS_TO_READ); /* for who unwinds stacks */
}

static void allow_usual(int rules)
{
    for (size_t i = 0; i < COUNT(readable); i++)
        landlock_allow(rules, readable[i], REEVE_OPENS_TO_READ);
    for (size_t i = 0; i < COUNT(writable); i++)
        landlock_allow(rules, writable[i], REEVE_OPENS_TO_WRITE);
}

void sandbox_prepare(struct sandbox *sandbox, const reeve_section *root,
                     const struct modules *modules)
{
    sandbox->level = read_level(root);
    sandbox->rules = sandbox->listener = -1;
    decide(sandbox, modules);
    if (sandbox->level == SANDBOX_OFF)
        return;
    sandbox->rules = landlock_new();
    if (sandbox->rules < 0) {
        tell(sandbox, LOG_SANDBOX_LESS, "files are not confined: this kernel has no Landlock (%s)",
             strerror(errno));
        return;
    }
    allow_listed(sandbox->rules, root, "sandbox_read", REEVE_OPENS_TO_READ);
    allow_listed(sandbox->rules, root, "sandbox_write", REEVE_OPENS_TO_WRITE);
    allow_usual(sandbox->rules);
    allow_modules(sandbox->rules, modules);
}

/* What is as it was wanted; the rest has been told. */
static void say_how(struct sandbox *sandbox)
{
    if (!sandbox->quiet && sandbox->calls)
        log_msg(LOG_SANDBOX, "workers are confined to the %s that servers need (sandbox)",
                sandbox->files
                    ? "files that configuration and modules name, and to the system calls"
                    : "system calls");
    else if (!sandbox->quiet && sandbox->files)
        log_msg(LOG_SANDBOX,
                "workers are confined to the files that configuration and modules name (sandbox)");
    for (const struct named *named = names; named && sandbox->files; named = named->next)
        if (strcmp(named->path, "/") == 0)
            tell(sandbox, LOG_SANDBOX_GUESS, "a module asks to open any file, as links may lead "
                 "anywhere: reading is not confined");
}

static bool runs_programs(void)
{
    for (const struct named *named = names; named; named = named->next)
        if (named->what & REEVE_OPENS_TO_RUN)
            return true;
    return false;
}

static bool enter_strict(struct sandbox *sandbox, const reeve_section *root, struct buf *error)
{
    struct strict_needs needs = {root, sandbox->forks, runs_programs()};

    if (strict_enter(&needs, &sandbox->listener) < 0) {
        buf_printf(error, "sandbox = \"strict\": the kernel refuses the filter: %s\n",
                   strerror(errno));
        return false;
    }
    sandbox->calls = is_strict = true;
    strict_runs = needs.runs_programs;
    if (sandbox->listener < 0)
        tell(sandbox, LOG_SANDBOX_LESS, "system calls that are refused cannot be told: the kernel "
             "lets nobody be asked here");
    return true;
}

bool sandbox_enter(struct sandbox *sandbox, const reeve_section *root, struct buf *error)
{
    if (!sandbox->keep_root && !caps_drop()) {
        buf_printf(error, "capabilities cannot be dropped: %s\n", strerror(errno));
        return false;
    }
    if (sandbox->rules >= 0 && landlock_enter(sandbox->rules) < 0) {
        tell(sandbox, LOG_SANDBOX_LESS, "files are not confined: the kernel refuses the rules (%s)",
             strerror(errno));
        sys_close(&sandbox->rules);
    }
    sandbox->files = sandbox->rules >= 0;
    sys_close(&sandbox->rules);
    if (sandbox->level == SANDBOX_STRICT && !enter_strict(sandbox, root, error))
        return false;
    say_how(sandbox);
    return true;
}

void sandbox_put(const struct sandbox *sandbox, struct buf *out)
{
    buf_printf(out, "%s %s\n%s",
               sandbox->files ? "files" : "", sandbox->calls ? "calls" : "", sandbox->note);
}

bool sandbox_enter_child(void)
{
    return !is_strict || strict_enter_child(strict_runs) == 0;
}
