/* Options that were written and do nothing where they stand, since another one is missing. Nothing is
 * refused for that: who tries without the other one need not take out both. But nobody shall believe
 * that it works.
 *
 * What belongs to the model is no such thing: one word should be enough to change that, and the
 * manual says which numbers it uses. Main thread of a worker, or of `reeved -t`, while it
 * configures. Memory: the caller's. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "conf/tree.h"

static struct buf *collected; /* where the lines go */

void conf_collect_idle(struct buf *lines)
{
    collected = lines;
}

void reeve_conf_idle(const reeve_section *section, const char *name, const char *needs)
{
    size_t index = (size_t)(option_find(section->options, name) - section->options);

    if (collected && section->values[index].said.origin != BY_DEFAULT)
        conf_complain(section->conf, collected, conf_said(section, name), name,
                      "does nothing without %s: write that too, or remove this", needs);
}

static bool is(const reeve_section *root, const char *name, const char *value)
{
    return strcmp(reeve_conf_string(root, name), value) == 0;
}

static bool is_zero(const reeve_section *root, const char *name)
{
    return reeve_conf_int(root, name) == 0;
}

static void note_sandbox(const reeve_section *root)
{
    if (!is(root, "sandbox", "strict"))
        reeve_conf_idle(root, "sandbox_calls", "sandbox = \"strict\"");
    if (is(root, "sandbox", "off")) {
        reeve_conf_idle(root, "sandbox_read", "a sandbox, as sandbox = \"files\"");
        reeve_conf_idle(root, "sandbox_write", "a sandbox, as sandbox = \"files\"");
    }
}

static void note_numbers(const reeve_section *root)
{
    if (is_zero(root, "max_connections_per_client"))
        reeve_conf_idle(root, "max_connections_exempt", "max_connections_per_client");
    if (is_zero(root, "workers_max"))
        reeve_conf_idle(root, "spare_time", "workers_max");
    if (is_zero(root, "worker_requests") && is_zero(root, "worker_age") &&
        is_zero(root, "worker_memory"))
        reeve_conf_idle(root, "worker_jitter", "worker_requests, worker_age or worker_memory");
    if (is_zero(root, "probation_errors"))
        reeve_conf_idle(root, "probation_requests", "probation_errors");
    if (is_zero(root, "quarantine_after") && is_zero(root, "module_budget")) {
        reeve_conf_idle(root, "quarantine_within", "quarantine_after or module_budget");
        reeve_conf_idle(root, "quarantine_time", "quarantine_after or module_budget");
    }
}

void core_note_idle(const struct core *core)
{
    const reeve_section *root = conf_root(core->conf);

    note_sandbox(root);
    note_numbers(root);
    for (size_t i = 0; i < core->listen_count; i++) {
        const reeve_section *listen = reeve_conf_section(root, "listen", i);

        if (core->listens[i].address.kind == ADDRESS_UNIX)
            continue;
        reeve_conf_idle(listen, "mode", "a unix socket as the address");
        reeve_conf_idle(listen, "owner", "a unix socket as the address");
    }
}
