/* Finding, loading and checking modules; what is then done with them is in modules.c. Main thread
 * of a worker, before it is ready; the list is constant afterwards, and a module stays for the
 * worker's life (never dlclose: its code may be on any stack, and leak checkers need its names). */
#include "config.h"

#include "module/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "reeve/http.h"
#include "reeve/protocol.h"

#define DESCRIPTOR "reeve_module_descriptor"
#define NAMES_MAX 256 /* modules in the folders, for a suggestion */

/* A line about the option `modules`. Always -1. */
#define refuse(core, ...) reeve_conf_error(conf_root((core)->conf), "modules", __VA_ARGS__)

/* ---- the descriptor */

static const char *wrong_interface(const reeve_module *m, char *room, size_t size)
{
    if (m->magic != REEVE_MAGIC)
        snprintf(room, size, "its descriptor begins with 0x%08x instead of 0x%08x; define it by "
                 "REEVE_MODULE() of reeve/module.h", m->magic, REEVE_MAGIC);
    else if (m->api_major != REEVE_API_MAJOR)
        snprintf(room, size, "it was built for interface %u.%u, this reeved has %u.%u; build it "
                 "again with this reeve's headers", m->api_major, m->api_minor, REEVE_API_MAJOR,
                 REEVE_API_MINOR);
    else if (m->api_minor > REEVE_API_MINOR)
        snprintf(room, size, "it needs interface %u.%u, this reeved has only %u.%u; install a "
                 "newer reeve, or build it again with this reeve's headers", m->api_major,
                 m->api_minor, REEVE_API_MAJOR, REEVE_API_MINOR);
    else if (m->size < sizeof(reeve_module))
        snprintf(room, size, "its descriptor has %u bytes, interface %u.%u has %zu; build it again "
                 "with this reeve's headers", m->size, m->api_major, m->api_minor,
                 sizeof(reeve_module));
    else
        return NULL;
    return room;
}

static bool is_module_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return length > 0 && name[length] == '\0';
}

/* Behind a good interface: what the module says of itself. */
static const char *wrong_content(const reeve_module *m)
{
    if (!m->name || !is_module_name(m->name))
        return "its descriptor has no good .name; use a-z, 0-9, \"_\" and \"-\"";
    if (!m->version)
        return "its descriptor has no .version; add one";
    switch (m->kind) {
    case REEVE_PROTOCOL:
        return m->protocol && m->protocol->step
                   ? NULL
                   : "it is a protocol without .protocol or without a step function; add it";
    case REEVE_HANDLER:
        return m->handler && m->handler->handle && m->handler->protocol
                   ? NULL
                   : "it is a handler without .handler, its protocol's name or a handle function; "
                     "add it";
    }
    return "its .kind is neither REEVE_PROTOCOL nor REEVE_HANDLER; correct it";
}

const char *module_refusal(const reeve_module *module, char *room, size_t size)
{
    const char *why = wrong_interface(module, room, size);
    if (why)
        return why;
    why = wrong_content(module);
    if (why)
        snprintf(room, size, "%s", why);
    return why ? room : NULL;
}

/* ---- finding */

/* The next folder of the path in `room`; false at its end. */
static bool next_folder(const char **path, char *room, size_t size)
{
    size_t length = strcspn(*path, ":");
    if (length == 0)
        return false;
    snprintf(room, size, "%.*s", (int)length, *path);
    *path += length + ((*path)[length] == ':');
    return true;
}

/* The file of a module in the first folder that has one. */
static bool find_file(const char *path, const char *name, char *room, size_t size)
{
    char folder[PATH_MAX];
    while (next_folder(&path, folder, sizeof(folder)))
        if (snprintf(room, size, "%s/%s.so", folder, name) < (int)size && access(room, F_OK) == 0)
            return true;
    return false;
}

/* "x.so" -> "x" into a list of copies. */
static void add_name(char **names, size_t *count, const char *file)
{
    const char *end = strrchr(file, '.');
    if (end && end != file && strcmp(end, ".so") == 0 && *count < NAMES_MAX &&
        (names[*count] = strndup(file, (size_t)(end - file))))
        (*count)++;
}

static void put_nearest(struct buf *out, const char *path, const char *name)
{
    char folder[PATH_MAX], *names[NAMES_MAX];
    size_t count = 0;
    while (next_folder(&path, folder, sizeof(folder))) {
        DIR *dir = opendir(folder);
        struct dirent *entry;
        while (dir && (entry = readdir(dir)))
            add_name(names, &count, entry->d_name);
        if (dir)
            closedir(dir);
    }
    const char *near = text_nearest(name, (const char *const *)names, count);
    if (near)
        buf_printf(out, "did you mean \"%s\"?", near);
    else
        buf_printf(out, "correct the name, or module_path");
    while (count > 0)
        free(names[--count]);
}

static int complain_missing(const struct core *core, const char *name)
{
    struct buf hint = {0};
    put_nearest(&hint, core->module_path, name);
    refuse(core, "there is no %s.so in %s; %s", name,
           *core->module_path ? core->module_path : "an empty module_path", buf_text(&hint));
    buf_free(&hint);
    return -1;
}

/* ---- loading */

/* The name that a file must bear inside: without folder and ".so". */
static bool same_name(const char *file, const char *name)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    size_t length = strlen(name);
    return strncmp(base, name, length) == 0 && strcmp(base + length, ".so") == 0;
}

static const reeve_module *load_file(const struct core *core, const char *file)
{
    char room[256];
    module_runs(strrchr(file, '/') ? strrchr(file, '/') + 1 : file);
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL); /* which runs its constructors */
    module_runs(NULL);
    if (!object && access(file, R_OK) < 0) {
        refuse(core, "%s cannot be read: %s; check the path and its permissions", file,
               strerror(errno));
        return NULL;
    }
    if (!object) {
        refuse(core, "%s cannot be loaded; build it again with this reeve's headers, or remove it "
               "here (%s)", file, dlerror());
        return NULL;
    }
    const reeve_module *module = dlsym(object, DESCRIPTOR);
    if (!module) {
        refuse(core, "%s is no module of reeve: it has no " DESCRIPTOR "; define it by "
               "REEVE_MODULE() of reeve/module.h", file);
        return NULL;
    }
    const char *why = module_refusal(module, room, sizeof(room));
    if (why) {
        refuse(core, "%s is refused: %s", file, why);
        return NULL;
    }
    if (!same_name(file, module->name)) {
        refuse(core, "%s calls itself \"%s\"; rename the file to %s.so", file, module->name,
               module->name);
        return NULL;
    }
    return module;
}

static int load(struct modules *modules, const struct core *core, const char *name)
{
    char file[PATH_MAX];
    if (*name == '/')
        snprintf(file, sizeof(file), "%s", name);
    else if (!is_module_name(name))
        return refuse(core, "\"%s\" is not the name of a module; write a name of a-z, 0-9, \"_\" "
                      "and \"-\", or the absolute path of a file", name);
    else if (!find_file(core->module_path, name, file, sizeof(file)))
        return complain_missing(core, name);
    const reeve_module *module = load_file(core, file);
    if (!module)
        return -1;
    for (size_t i = 0; i < modules->count; i++)
        if (strcmp(modules->list[i]->name, module->name) == 0)
            return refuse(core, "%s: there is another module \"%s\" already; keep one of them",
                          file, module->name);
    modules->list[modules->count++] = module;
    log_msg(LOG_MODULE_LOADED, "%s %s from %s", module->name, module->version, file);
    return 0;
}

int modules_load(struct modules *modules, const struct core *core, struct buf *errors)
{
    int result = 0;
    *modules = (struct modules){.list = calloc(core->module_count + 1, sizeof(*modules->list))};
    if (!modules->list) {
        buf_adds(errors, "modules: memory is short\n");
        return -1;
    }
    conf_collect_errors(errors);
    for (size_t i = 0; i < core->module_count; i++)
        if (load(modules, core, core->modules[i]) < 0)
            result = -1;
    conf_collect_errors(NULL);
    return result;
}
