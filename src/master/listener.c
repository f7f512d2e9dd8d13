/* Listening sockets; see listener.h.
 *
 * Master, with the privileges it was started with. A socket is found by the text of its `listen`
 * section, so a reload that keeps the text keeps the very socket and its backlog. */
#include "config.h"

#include "master/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/sys.h"
#include "conf/conf.h"
#include "master/generation.h"
#include "master/socket.h"
#include "master/state.h"
#include "master/workers.h"

struct list listeners = {&listeners, &listeners};

static struct listener *listener_find(const char *title)
{
    list_each(node, &listeners) {
        struct listener *listener = list_entry(node, struct listener, node);

        if (!listener->removed && strcmp(listener->title, title) == 0)
            return listener;
    }
    return NULL;
}

int listener_fd(const char *title)
{
    const struct listener *listener = listener_find(title);

    return listener ? listener->fd : -1;
}

static void listener_close(struct listener *listener)
{
    if (!listener->trial)
        say(LOG_LISTENER_CLOSED, "%s (%s)", listener->title, listener->bound);
    list_remove(&listener->node);
    passage_close(&listener->passage);
    passage_close(&listener->next);
    if (listener->removed && !listener->inherited) /* its path may be another's by now */
        sys_close(&listener->fd);
    else if (!listener->inherited) /* those stay open, for a later reload: see socket.c */
        socket_close(&listener->fd, &listener->address);
    free(listener->title);
    free(listener->protocol);
    free(listener->owner);
    free(listener->bound);
    free(listener);
}

/* Remembers what of the section is in force. */
static void listener_note(struct listener *listener, const struct core_listen *listen)
{
    free(listener->protocol);
    free(listener->owner);
    listener->protocol = strdup(listen->protocol);
    listener->owner = strdup(listen->owner);
    listener->mode = listen->mode;
    listener->backlog = listen->backlog;
    if (!listener->protocol || !listener->owner)
        abort();
}

static in_port_t port_of(const struct address *address)
{
    /* at the same place in both families */
    return address->kind == ADDRESS_INET
               ? ((const struct sockaddr_in *)(const void *)&address->sockaddr)->sin_port
               : 0;
}

/* From 127.0.0.1:80 to *:80 is one reload: for a moment both sockets are open. True if a listener
 * of ours has that port. */
static bool share_port(const struct core_listen *listen, bool on)
{
    in_port_t port = port_of(&listen->address);
    bool any = false;

    list_each(node, &listeners) {
        struct listener *other = list_entry(node, struct listener, node);

        if (port == 0 || port_of(&other->address) != port)
            continue;
        socket_share(other->fd, on);
        any = true;
    }
    return any;
}

static bool listener_open(const struct core_listen *listen, const reeve_section *section,
                          struct buf *errors, bool *in_use)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    struct buf why = {0};
    bool share;
    int error;

    if (!listener)
        abort();
    listener->address = listen->address;
    listener->inherited = listen->address.kind == ADDRESS_FD;
    listener->trial = true;
    listener->passage = listener->next = (struct passage){-1, -1};
    share = share_port(listen, true);
    listener->fd = socket_open(listen, share, &why);
    error = errno;
    share_port(listen, false);
    if (listener->fd >= 0 && share)
        socket_share(listener->fd, false);
    errno = error;
    if (listener->fd < 0) {
        *in_use = *in_use || errno == EADDRINUSE;
        conf_collect_errors(errors);
        reeve_conf_error(section, NULL, "%s", buf_text(&why));
        buf_free(&why);
        free(listener);
        return false;
    }
    listener->title = strdup(listen->title);
    listener_note(listener, listen);
    passage_open(&listener->passage); /* without one connections are not moved, that is all */
    listener->bound = socket_describe(listener->fd);
    list_append(&listeners, &listener->node);
    buf_free(&why);
    return true;
}

bool listeners_open(const struct core *core, struct buf *errors, bool *in_use)
{
    const reeve_section *root = conf_root(core->conf);
    bool ok = true;

    *in_use = false;
    for (size_t i = 0; i < core->listen_count; i++) {
        const struct core_listen *listen = &core->listens[i];
        struct listener *listener = listener_find(listen->title);

        if (!listener)
            ok = listener_open(listen, reeve_conf_section(root, "listen", i), errors, in_use) && ok;
        else if (strcmp(listener->protocol, listen->protocol) != 0)
            passage_open(&listener->next);
    }
    if (!ok)
        listeners_abandon();
    return ok;
}

void listeners_abandon(void)
{
    list_each_safe(node, &listeners) {
        struct listener *listener = list_entry(node, struct listener, node);

        passage_close(&listener->next);
        if (listener->trial)
            listener_close(listener);
    }
}

void listener_hand(const char *title, const char *protocol, struct worker *worker)
{
    const struct listener *listener = listener_find(title);
    struct msg msg = {.type = MSG_LISTENER, .fd = -1, .text = title, .length = strlen(title)};
    const struct passage *passage;

    if (listener) {
        passage = strcmp(listener->protocol, protocol) == 0 ? &listener->passage : &listener->next;
        msg.fd = listener->fd;
        msg.has_more = passage->give >= 0;
        msg.more[0] = passage->take;
        msg.more[1] = passage->give;
    }
    worker_send(worker, &msg);
}

/* What the old workers still have in hand they keep: the new ones speak another protocol. */
static void change_passage(struct listener *listener)
{
    passage_shut(&listener->passage);
    passage_close(&listener->passage);
    listener->passage = listener->next;
    listener->next = (struct passage){-1, -1};
}

bool listener_revive(struct listener *listener)
{
    if (listener->removed || socket_listens(listener->fd)) {
        listener->deaf = false;
        return false;
    }
    if (listen(listener->fd, listener->backlog) < 0) {
        if (!listener->deaf)
            say(LOG_LISTENER_DEAF, "%s (%s) was shut down, and cannot listen again: %s",
                listener->title, listener->bound, strerror(errno));
        listener->deaf = true;
        return false;
    }
    free(listener->bound);
    listener->bound = socket_describe(listener->fd); /* another port, if any would do */
    listener->deaf = false;
    say(LOG_LISTENER_DEAF, "%s was shut down by somebody who has it, as the workers do; it listens "
        "again, on %s", listener->title, listener->bound);
    return true;
}

static const struct core_listen *wanted(const struct generation *generation, const char *title)
{
    for (size_t i = 0; i < generation->core.listen_count; i++)
        if (strcmp(generation->core.listens[i].title, title) == 0)
            return &generation->core.listens[i];
    return NULL;
}

static void listener_apply(struct listener *listener, const struct core_listen *listen)
{
    struct buf why = {0};

    if (listener->trial)
        say(LOG_LISTENING, "%s, protocol %s, bound to %s", listener->title, listen->protocol,
            listener->bound);
    listener->trial = false;
    if (strcmp(listener->protocol, listen->protocol) != 0)
        change_passage(listener);
    /* Shared with every worker: one gone mad may have cleared it. */
    sys_set_nonblock(listener->fd, true);
    if ((listener->backlog != listen->backlog || listener->mode != listen->mode ||
         strcmp(listener->owner, listen->owner) != 0) &&
        !socket_apply(listener->fd, listen, &why))
        say(LOG_LISTEN_FAILED, "%s: %s", listener->title, buf_text(&why));
    buf_free(&why);
    listener_note(listener, listen);
}

static void announce(const struct listener *listener, struct generation *old, enum msg_type type)
{
    list_each(node, &old->workers)
        worker_tell(list_entry(node, struct worker, node), type, 0, 0, -1, listener->title);
}

void listeners_adopt(const struct generation *generation, struct generation *old)
{
    list_each(node, &listeners) {
        struct listener *listener = list_entry(node, struct listener, node);
        const struct core_listen *listen = wanted(generation, listener->title);

        if (listener->removed)
            continue;
        if (!listen && generation->state == GENERATION_PROBATION) {
            announce(listener, old, MSG_STAY);
            continue;
        }
        if (listen) {
            listener_apply(listener, listen);
            continue;
        }
        listener->removed = true;
        passage_shut(&listener->passage);
        socket_shut(listener->fd, &listener->address);
        if (old)
            announce(listener, old, MSG_REMOVED);
    }
}

void listeners_close_removed(void)
{
    list_each_safe(node, &listeners)
        if (list_entry(node, struct listener, node)->removed)
            listener_close(list_entry(node, struct listener, node));
}

void listeners_shut_all(void)
{
    list_each(node, &listeners) {
        struct listener *listener = list_entry(node, struct listener, node);

        passage_shut(&listener->passage);
        if (!listener->removed)
            socket_shut(listener->fd, &listener->address);
    }
}

void listeners_close_all(void)
{
    list_each_safe(node, &listeners)
        listener_close(list_entry(node, struct listener, node));
}
