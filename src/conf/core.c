/* The core options as the program uses them, with everything checked that a table cannot say. Main
 * thread of master and worker, after each parse. Texts belong to the conf, except what core_free()
 * frees. */
#include "config.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/sys.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "conf/tree.h"
#include "share/control.h"
#include "share/snapshot.h"

/* ---- the model */

#define complain(root, errors, name, ...)                                                          \
    conf_complain((root)->conf, errors, conf_said(root, name), name, __VA_ARGS__)

/* Only what contradicts the model is refused. A number that it does not use is ignored: one word
 * should be enough to change the model. */
static void check_model(const reeve_section *root, const struct core *core, struct buf *errors)
{
    const struct model *m = &core->model, *row = model_find(m->name);
    const char *thing = each_name(m->each);
    if (m->each != EACH_NONE && m->connections != 1)
        complain(root, errors, "connections", "%d contradicts the model %s, whose every %s serves "
                 "one connection; remove it, or write model = \"epoll\"", m->connections, m->name,
                 thing);
    if (m->each != EACH_NONE && m->loops != 1)
        complain(root, errors, "loops", "%d contradicts the model %s, which makes a %s for each "
                 "connection; remove it, or write model = \"prethreaded\"", m->loops, m->name,
                 thing);
    if (strcmp(m->name, wait_name(row->wait)) == 0 && m->wait != row->wait)
        complain(root, errors, "wait", "\"%s\" contradicts the model %s; remove it, or write "
                 "model = \"%s\"", wait_name(m->wait), m->name, wait_name(m->wait));
    if (m->pool && m->connections == 1)
        complain(root, errors, "connections", "1 leaves the pool of the model %s nothing to do; "
                 "remove it, or write model = \"worker\"", m->name);
    if (m->pool && m->loops + core->threads > THREADS_MAX)
        complain(root, errors, "threads", "%d and %d loops are more than %d threads in a worker; "
                 "write less", core->threads, m->loops, THREADS_MAX);
}

static void read_model(const reeve_section *root, struct core *core, struct buf *errors)
{
    struct model *m = &core->model;
    const char *wait = reeve_conf_string(root, "wait");
    int loops = (int)reeve_conf_int(root, "loops");
    int connections = (int)reeve_conf_int(root, "connections");
    *m = *model_find(reeve_conf_string(root, "model"));
    core->threads = (int)reeve_conf_int(root, "threads");
    core->queue_limit = (int)reeve_conf_int(root, "queue_limit");
    core->queue_time = reeve_conf_int(root, "queue_time");
    core->loop_timeout = reeve_conf_int(root, "loop_timeout");
    core->handler_timeout = reeve_conf_int(root, "handler_timeout");
    core->queue_per_thread = strcmp(reeve_conf_string(root, "queue"), "per-thread") == 0;
    core->max_each = m->each == EACH_THREAD    ? (int)reeve_conf_int(root, "max_threads")
                     : m->each == EACH_PROCESS ? (int)reeve_conf_int(root, "max_processes")
                                               : 0;
    m->connections = connections ? connections : m->connections;
    m->loops = loops ? loops : m->loops ? m->loops : core->threads;
    if (*wait)
        m->wait = wait_find(wait);
    core_read_limits(root, core, errors);
    core_read_sizing(root, core, errors);
    check_model(root, core, errors);
}

/* ---- listen sections */

static bool is_any(const struct sockaddr_storage *s)
{
    static const struct in6_addr any = IN6ADDR_ANY_INIT;
    if (s->ss_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)s)->sin_addr.s_addr == htonl(INADDR_ANY);
    return memcmp(&((const struct sockaddr_in6 *)(const void *)s)->sin6_addr, &any,
                  sizeof(any)) == 0;
}

static uint16_t port_of(const struct sockaddr_storage *s)
{
    return s->ss_family == AF_INET ? ((const struct sockaddr_in *)(const void *)s)->sin_port
                                   : ((const struct sockaddr_in6 *)(const void *)s)->sin6_port;
}

/* Can the second of two be bound while the first is? "::" takes the port of IPv4 too. */
static bool clash(const struct core_listen *a, const struct core_listen *b)
{
    const struct sockaddr_storage *x = &a->address.sockaddr, *y = &b->address.sockaddr;
    if (strcmp(a->title, b->title) == 0)
        return true;
    if (a->address.kind != b->address.kind || a->address.kind == ADDRESS_FD)
        return false;
    if (a->address.kind == ADDRESS_INET) {
        if (port_of(x) == 0 || port_of(x) != port_of(y))
            return false;
        if ((is_any(x) && (x->ss_family == AF_INET6 || y->ss_family == AF_INET)) ||
            (is_any(y) && (y->ss_family == AF_INET6 || x->ss_family == AF_INET)))
            return true;
    }
    return a->address.length == b->address.length && memcmp(x, y, a->address.length) == 0;
}

static void complain_listen(const struct conf *conf, const reeve_section *section,
                            struct buf *errors, const char *sentence)
{
    struct buf name = {0};
    conf_put_section(&name, section->name, section->title);
    conf_complain(conf, errors, section->said, buf_text(&name), "%s", sentence);
    buf_free(&name);
}

static void check_clash(const struct conf *conf, const reeve_section *section,
                        const struct core *core, size_t index, struct buf *errors)
{
    for (size_t i = 0; i < index; i++) {
        struct buf sentence = {0};
        if (!clash(&core->listens[i], &core->listens[index]))
            continue;
        buf_printf(&sentence, "takes the same address as \"%s\" on line %d; remove one of them",
                   core->listens[i].title, core->listens[i].line);
        complain_listen(conf, section, errors, buf_text(&sentence));
        buf_free(&sentence);
        return;
    }
}

static void read_listens(const struct conf *conf, struct core *core, struct buf *errors)
{
    const reeve_section *root = conf_root(conf);
    size_t count = reeve_conf_count(root, "listen");
    /* Not in the master's parse: a worker's, which follows, can tell a slip in the word. */
    if (count == 0 && conf->full)
        conf_complain(conf, errors, root->said, "listen",
                      "there is none; write listen \"127.0.0.1:8080\" { protocol = \"http\" }");
    for (size_t i = 0; i < count; i++) {
        const reeve_section *section = reeve_conf_section(root, "listen", i);
        struct core_listen *listen = &core->listens[core->listen_count];
        struct buf sentence = {0};
        *listen = (struct core_listen){.title = reeve_conf_title(section),
                                       .protocol = reeve_conf_string(section, "protocol"),
                                       .backlog = (int)reeve_conf_int(section, "backlog"),
                                       .mode = (mode_t)reeve_conf_int(section, "mode"),
                                       .owner = reeve_conf_string(section, "owner"),
                                       .line = section->said.line};
        if (address_parse(listen->title, &listen->address, &sentence)) {
            check_clash(conf, section, core, core->listen_count, errors);
            core->listen_count++;
        } else {
            complain_listen(conf, section, errors, buf_text(&sentence));
        }
        buf_free(&sentence);
    }
}

/* ---- the rest */

/* Each folder made absolute. NULL when memory is short. */
static char *read_module_path(const struct conf *conf, const char *path)
{
    struct buf out = {0};
    while (*path) {
        size_t length = strcspn(path, ":");
        if (length > 0) {
            buf_adds(&out, out.length > 0 ? ":" : "");
            if (*path != '/')
                buf_printf(&out, "%s/", conf->snapshot->folder);
            buf_add(&out, path, length);
        }
        path += length + (path[length] == ':');
    }
    if (!out.failed)
        return buf_take(&out);
    buf_free(&out);
    return NULL;
}

static void read_texts(const reeve_section *root, struct core *core, struct buf *errors)
{
    core->user = reeve_conf_string(root, "user");
    core->strict = strcmp(reeve_conf_string(root, "sandbox"), "strict") == 0;
    core->group = reeve_conf_string(root, "group");
    core->control = reeve_conf_string(root, "control");
    core->control_group = reeve_conf_string(root, "control_group");
    core->pid_file = reeve_conf_string(root, "pid_file");
    core->error_log = reeve_conf_string(root, "error_log");
    if (*core->error_log == '\0')
        complain(root, errors, "error_log", "is empty; write \"stderr\", \"syslog\" or a path");
    if (*core->control == '\0')
        core->control = control_default_path();
    if (strlen(core->control) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        complain(root, errors, "control", "\"%s\" is too long for a socket; use a path of at most "
                 "%zu bytes", core->control, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
}

static void read_numbers(const reeve_section *root, struct core *core)
{
    const char *format = reeve_conf_string(root, "log_format");
    core->log_format = strcmp(format, "json") == 0 ? LOG_JSON : LOG_TEXT;
    log_level_parse(reeve_conf_string(root, "log_level"), &core->log_level);
    core->ready_timeout = reeve_conf_int(root, "ready_timeout");
    core->drain_timeout = reeve_conf_int(root, "drain_timeout");
    core->drain_linger = reeve_conf_int(root, "drain_linger");
    core->send_timeout = reeve_conf_int(root, "send_timeout");
    core->send_rate = reeve_conf_int(root, "send_rate");
    core->generations_limit = (int)reeve_conf_int(root, "generations_limit");
    core->probation_crashes = (int)reeve_conf_int(root, "probation_crashes");
    core->probation_errors = (int)reeve_conf_int(root, "probation_errors");
    core->probation_requests = (int)reeve_conf_int(root, "probation_requests");
    core->crashes_kept = (int)reeve_conf_int(root, "crashes_kept");
    core->quarantine_after = (int)reeve_conf_int(root, "quarantine_after");
    core->quarantine_within = reeve_conf_int(root, "quarantine_within");
    core->quarantine_time = reeve_conf_int(root, "quarantine_time");
    core->module_budget = (int)reeve_conf_int(root, "module_budget");
}

static void read_modules(const reeve_section *root, struct core *core, struct buf *errors)
{
    core->module_count = reeve_conf_count(root, "modules");
    for (size_t i = 0; i < core->module_count; i++) {
        const char *name = reeve_conf_item(root, "modules", i);
        for (size_t j = 0; j < i; j++)
            if (strcmp(name, reeve_conf_item(root, "modules", j)) == 0)
                complain(root, errors, "modules", "\"%s\" is named twice; remove one of them",
                         name);
    }
    if (core->module_count > 0)
        core->modules = root->values[option_find(root->options, "modules") - root->options].items;
}

bool core_read(const struct conf *conf, struct core *core, struct buf *errors)
{
    const reeve_section *root = conf_root(conf);
    struct buf own = {0};
    memset(core, 0, sizeof(*core));
    core->conf = conf;
    core->listens = calloc(reeve_conf_count(root, "listen") + 1, sizeof(*core->listens));
    core->module_path = read_module_path(conf, reeve_conf_string(root, "module_path"));
    if (!core->listens || !core->module_path) {
        buf_printf(&own, "%s: could not be read: memory is short\n", conf->snapshot->path);
    } else {
        read_texts(root, core, &own);
        read_numbers(root, core);
        read_modules(root, core, &own);
        read_model(root, core, &own);
        read_listens(conf, core, &own);
    }
    bool good = own.length == 0 && !own.failed;
    buf_add(errors, own.data, own.length);
    buf_free(&own);
    if (!good)
        core_free(core);
    return good;
}

void core_free(struct core *core)
{
    free(core->listens);
    free(core->exempt);
    free((char *)core->module_path);
    memset(core, 0, sizeof(*core));
}
