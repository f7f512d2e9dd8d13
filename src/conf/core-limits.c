/* The core options that say how many connections there may be: in a worker, and of a client. Main
 * thread of master and worker, after each parse. The list of exempt addresses is the core's. */
#include "config.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cidr.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "conf/tree.h"

#define complain(root, errors, name, ...)                                                          \
    conf_complain((root)->conf, errors, conf_said(root, name), name, __VA_ARGS__)

/* A number of the worker, brought into the numbers of the model: where a thread or a process serves
 * one connection it bounds those, else what each loop may hold. */
static void read_worker(const reeve_section *root, struct core *core, struct buf *errors)
{
    int most = (int)reeve_conf_int(root, "max_connections");
    struct model *m = &core->model;
    int least = m->pool ? 2 : 1; /* a loop of one connection is a blocking one */

    if (most == 0)
        return;
    if (m->each != EACH_NONE) {
        core->max_each = core->max_each < most ? core->max_each : most;
    } else if (m->connections == 1) {
        m->loops = m->loops < most ? m->loops : most;
    } else if (most < least * m->loops) {
        complain(root, errors, "max_connections", "%d is too few for %d loop%s in a worker; write "
                 "at least %d", most, m->loops, m->loops == 1 ? "" : "s", least * m->loops);
    } else if (m->connections > most / m->loops) {
        m->connections = most / m->loops;
    }
}

static void read_exempt(const reeve_section *root, struct core *core, size_t index,
                        struct buf *errors)
{
    const char *name = "max_connections_exempt", *item = reeve_conf_item(root, name, index);
    struct cidr *block = &core->exempt[core->exempt_count++];
    char better[CIDR_TEXT];

    switch (cidr_parse(item, block)) {
    case CIDR_OK:
        if (block->kind == CIDR_V4 || block->kind == CIDR_V6)
            return;
        complain(root, errors, name, "\"%s\" is of no use here: %s", item,
                 block->kind == CIDR_UNIX ? "clients of Unix sockets are never counted; remove it"
                                          : "write max_connections_per_client = 0 instead");
        return;
    case CIDR_MALFORMED:
        complain(root, errors, name, "\"%s\" is no block of addresses: write it as in "
                 "\"192.0.2.0/24\" or \"2001:db8::/32\", or write an address", item);
        return;
    case CIDR_STRAY:
        cidr_text(block, better);
        complain(root, errors, name, "\"%s\" says more than its length lets count: write \"%s\" "
                 "for the block, or the address alone", item, better);
        return;
    }
}

void core_read_limits(const reeve_section *root, struct core *core, struct buf *errors)
{
    size_t count = reeve_conf_count(root, "max_connections_exempt");

    read_worker(root, core, errors);
    core->client_limit = (int)reeve_conf_int(root, "max_connections_per_client");
    core->exempt = calloc(count + 1, sizeof(*core->exempt));
    if (!core->exempt) {
        complain(root, errors, "max_connections_exempt", "memory is short");
        return;
    }
    for (size_t i = 0; i < count; i++)
        read_exempt(root, core, i, errors);
}
