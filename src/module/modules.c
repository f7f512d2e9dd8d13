/* The loaded modules of a worker: which there are, their configuration, their hooks. Configuring
 * and the worker's hooks run in the main thread, a thread's hooks in that thread; the list is
 * constant. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/conf.h"
#include "module/loader.h"
#include "reeve/protocol.h"

#define NAMES_MAX 256 /* protocols, for a suggestion */

const reeve_module *modules_find(const struct modules *modules, enum reeve_kind kind,
                                 const char *name)
{
    for (size_t i = 0; i < modules->count; i++)
        if (modules->list[i]->kind == kind && strcmp(modules->list[i]->name, name) == 0)
            return modules->list[i];
    return NULL;
}

/* ---- whose code runs */

static void describe(const void *name, reeve_hand *hand)
{
    hand->module = name;
}

void module_runs(const char *name)
{
    reeve_in_hand(name ? describe : NULL, name);
}

/* ---- configuring */

static int configure_protocol(const reeve_module *module, const reeve_section *section,
                              const struct buf *errors)
{
    size_t before = errors->length;
    if (!module->protocol->configure)
        return 0;
    module_runs(module->name);
    int result = module->protocol->configure(section);
    module_runs(NULL);
    if (result == 0)
        return 0;
    if (errors->length == before)
        reeve_conf_error(section, NULL, "the module %s refused this without saying why; ask its "
                         "author", module->name);
    return -1;
}

static int check_listen(const struct modules *modules, const reeve_section *listen)
{
    const char *protocol = reeve_conf_string(listen, "protocol");
    const char *names[NAMES_MAX], *near;
    size_t count = 0;
    if (modules_find(modules, REEVE_PROTOCOL, protocol))
        return 0;
    if (modules_find(modules, REEVE_HANDLER, protocol))
        return reeve_conf_error(listen, "protocol", "\"%s\" is a handler, not a protocol; write "
                                "the protocol that it answers for", protocol);
    for (size_t i = 0; i < modules->count && count < NAMES_MAX; i++)
        if (modules->list[i]->kind == REEVE_PROTOCOL)
            names[count++] = modules->list[i]->name;
    near = text_nearest(protocol, names, count);
    if (near)
        return reeve_conf_error(listen, "protocol", "\"%s\" is not known; did you mean \"%s\"?",
                                protocol, near);
    return reeve_conf_error(listen, "protocol", "\"%s\" is not loaded; add \"%s\" to modules",
                            protocol, protocol);
}

int modules_configure(const struct modules *modules, const struct conf *conf, struct buf *errors)
{
    const reeve_section *root = conf_root(conf);
    int result = 0;
    conf_collect_errors(errors);
    for (size_t i = 0; i < modules->count; i++) {
        const reeve_module *module = modules->list[i];
        if (module->kind == REEVE_PROTOCOL &&
            configure_protocol(module, reeve_conf_section(root, module->name, 0), errors) < 0)
            result = -1;
    }
    for (size_t i = 0, n = reeve_conf_count(root, "listen"); i < n; i++)
        if (check_listen(modules, reeve_conf_section(root, "listen", i)) < 0)
            result = -1;
    conf_collect_errors(NULL);
    return result;
}

/* ---- hooks */

static int worker_init(const reeve_module *module)
{
    if (!module->worker_init)
        return 0;
    module_runs(module->name);
    int result = module->worker_init();
    module_runs(NULL);
    return result;
}

int modules_worker_init(const struct modules *modules, const char **refused)
{
    for (size_t i = 0; i < modules->count; i++) {
        if (worker_init(modules->list[i]) != 0) {
            *refused = modules->list[i]->name;
            log_msg(LOG_MODULE_FAILED, "the module %s refused to start", *refused);
            return -1;
        }
    }
    return 0;
}

int modules_thread_init(const struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++) {
        const reeve_module *module = modules->list[i];
        if (module->thread_init && module->thread_init() != 0) {
            log_msg(LOG_MODULE_FAILED, "the module %s refused to start in a thread", module->name);
            return -1;
        }
    }
    return 0;
}

/* In the reverse order: a module may use what an earlier one made. */
void modules_thread_exit(const struct modules *modules)
{
    for (size_t i = modules->count; i-- > 0;)
        if (modules->list[i]->thread_exit)
            modules->list[i]->thread_exit();
}

void modules_worker_exit(const struct modules *modules)
{
    for (size_t i = modules->count; i-- > 0;)
        if (modules->list[i]->worker_exit)
            modules->list[i]->worker_exit();
}
