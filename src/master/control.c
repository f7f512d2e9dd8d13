/* The control socket; see control.h.
 *
 * Master. Clients are many, slow and perhaps hostile: nothing here waits for them, what they say and
 * what they leave unread is bounded, and what they may do is decided by the kernel's word on who
 * they are (SO_PEERCRED), taken once when they connect. */
#include "config.h"

#include "master/control.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "master/operation.h"
#include "master/state.h"

#define CLIENTS_MAX 64
#define UNREAD_MAX (1u << 20) /* a client that leaves more unread is dropped */

static struct list clients = {&clients, &clients};
static int client_count;
static char socket_path[108];
static gid_t reader_group = (gid_t)-1;
static struct watch door = {.fd = -1};

static void client_drop(struct client *client)
{
    list_remove(&client->node);
    client_count--;
    timer_cancel(&client->patience);
    reactor_unwatch(&client->watch);
    sys_close(&client->watch.fd);
    buf_free(&client->in);
    buf_free(&client->out);
    free(client);
}

/* Sends what it can. False: the client is gone. */
static bool client_flush(struct client *client)
{
    while (client->out.length > 0) {
        ssize_t n = send(client->watch.fd, client->out.data, client->out.length,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0)
            buf_drop(&client->out, (size_t)n);
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return false;
    }
    if (client->out.failed || client->out.length > UNREAD_MAX)
        return false;
    if (client->out.length == 0 && client->closing)
        return false;
    return reactor_watch(&client->watch,
                         EPOLLIN | (client->out.length > 0 ? (uint32_t)EPOLLOUT : 0)) == 0;
}

/* Sends, and if the client is gone leaves the rest to the reactor's next word on it: the caller may
 * be in the middle of serving this very client. */
static void client_flush_or_doom(struct client *client)
{
    if (!client_flush(client))
        shutdown(client->watch.fd, SHUT_RDWR);
}

/* One JSON object as a line. Takes `object` over. Does not send yet. */
static void client_put(struct client *client, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text) {
        buf_adds(&client->out, text);
        buf_addc(&client->out, '\n');
    } else {
        client->out.failed = true;
    }
    free(text);
    json_decref(object);
}

/* JSON texts must be UTF-8; what the log would escape is escaped here as well. */
static json_t *text_json(const char *text)
{
    json_t *value = json_string(text);
    struct buf clean = {0};

    if (value)
        return value;
    for (const char *c = text; *c; c++)
        buf_addc(&clean, (unsigned char)*c < 0x80 ? *c : '?');
    value = json_string(buf_text(&clean));
    buf_free(&clean);
    return value;
}

void control_reply(struct client *client, enum control_code code, uint32_t operation,
                   const char *text, json_t *data)
{
    json_t *object = json_pack("{s:s,s:i,s:o?,s:o,s:o?}", "type", "result", "code", (int)code,
                               "operation", operation ? json_integer(operation) : NULL, "text",
                               text_json(text), "data", data);

    client->operation = 0;
    timer_cancel(&client->patience);
    client_put(client, object);
}

void control_join(struct client *client, struct operation *operation, int64_t seconds)
{
    client->operation = operation->number;
    if (seconds != WAIT_EVER)
        timer_set(&client->patience, seconds * 1000);
}

static void on_patience(void *arg)
{
    struct client *client = arg;

    control_reply(client, CONTROL_TIMED_OUT, client->operation,
                  "not done within the time given; it goes on", NULL);
    client_flush_or_doom(client);
}

static void control_answer(const struct operation *operation)
{
    list_each(node, &clients) {
        struct client *client = list_entry(node, struct client, node);
        json_t *data = NULL;

        if (client->operation != operation->number)
            continue;
        if (operation->generation)
            data = json_pack("{s:i}", "generation", (int)operation->generation);
        control_reply(client, operation->code, operation->number, buf_text(&operation->text), data);
        client_flush_or_doom(client);
    }
}

static json_t *event_json(enum log_tag tag, const char *text)
{
    struct timespec now;
    struct tm tm;
    char date[32], stamp[64];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(stamp, sizeof(stamp), "%s.%06ldZ", date, now.tv_nsec / 1000);
    return json_pack("{s:s,s:s,s:s,s:o}", "type", "event", "time", stamp, "tag", log_tags[tag].tag,
                     "text", text_json(text));
}

void control_follow(struct client *client)
{
    client->follows = true;
    client_put(client, event_json(LOG_FOLLOWING, "every event from here on"));
}

static void control_event(enum log_tag tag, const char *text)
{
    list_each(node, &clients) {
        struct client *client = list_entry(node, struct client, node);

        if (!client->follows && !client->operation)
            continue;
        client_put(client, event_json(tag, text));
        client_flush_or_doom(client);
    }
}

/* ---------------------------------------------------------------- requests --------- */

/* Carries out every complete line. A client that waits for an operation is not read further. */
static bool client_serve(struct client *client)
{
    while (client->in.length > 0 && !client->operation) {
        char *end = memchr(client->in.data, '\n', client->in.length);

        if (!end) {
            if (client->in.length > CONTROL_LINE)
                return false;
            break;
        }
        *end = '\0';
        if (strlen(client->in.data) != (size_t)(end - client->in.data))
            control_reply(client, CONTROL_REFUSED, 0, "a request is text, without NUL", NULL);
        else
            verb_dispatch(client, client->in.data);
        buf_drop(&client->in, (size_t)(end - client->in.data) + 1);
    }
    return true;
}

static void on_client(void *arg, uint32_t events)
{
    struct client *client = arg;
    char room[CONTROL_LINE];
    ssize_t n;

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        n = recv(client->watch.fd, room, sizeof(room), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            client_drop(client);
            return;
        }
        if (n > 0)
            buf_add(&client->in, room, (size_t)n);
    }
    if (client->in.length > 4 * CONTROL_LINE || client->in.failed || !client_serve(client) ||
        !client_flush(client))
        client_drop(client);
}

static bool is_in_group(const struct ucred *peer)
{
    const struct passwd *account;
    gid_t groups[64];
    int count = 64;

    if (reader_group == (gid_t)-1)
        return false;
    if (peer->gid == reader_group)
        return true;
    account = getpwuid(peer->uid);
    if (!account || getgrouplist(account->pw_name, peer->gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == reader_group)
            return true;
    return false;
}

/* False: this peer may not even read. */
static bool peer_access(int fd, enum control_access *access)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return false;
    *access = peer.uid == 0 || peer.uid == geteuid() ? CHANGE : READ;
    if (*access == CHANGE || is_in_group(&peer))
        return true;
    say(LOG_CONTROL_REFUSED, "uid %u is neither root, nor the owner, nor in control_group",
        (unsigned)peer.uid);
    return false;
}

static void on_door(void *arg, uint32_t events)
{
    struct client *client;
    enum control_access access = READ;
    int fd = accept4(door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)arg;
    (void)events;
    if (fd < 0)
        return;
    client = calloc(1, sizeof(*client));
    if (!client || client_count >= CLIENTS_MAX) {
        say(LOG_CONTROL_REFUSED, "too many control connections (%d)", client_count);
        free(client);
        sys_close(&fd);
        return;
    }
    client->watch = (struct watch){.fd = fd, .ready = on_client, .arg = client};
    client->patience = (struct timer){.fire = on_patience, .arg = client};
    list_append(&clients, &client->node);
    client_count++;
    client->closing = !peer_access(fd, &access);
    client->access = access;
    if (client->closing)
        control_reply(client, CONTROL_REFUSED, 0,
                      "you may not use this socket: be root, the owner, or in control_group", NULL);
    if (!client_flush(client))
        client_drop(client);
}

/* ---------------------------------------------------------------- the socket ------- */

/* Everybody may connect where a group may read: the peer's credentials decide, not the mode. */
static bool set_group(const char *group, struct buf *error)
{
    const struct group *entry = group[0] ? getgrnam(group) : NULL;

    if (group[0] && !entry) {
        buf_printf(error, "control_group: there is no group '%s'; create it or leave it out\n",
                   group);
        return false;
    }
    reader_group = entry ? entry->gr_gid : (gid_t)-1;
    return chmod(socket_path, entry ? 0666 : 0600) == 0;
}

bool control_open(const char *path, const char *group, struct buf *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        buf_printf(error, "control: %s is too long for a socket; at most %zu bytes\n", path,
                   sizeof(address.sun_path) - 1);
        return false;
    }
    strcpy(address.sun_path, path);
    strcpy(socket_path, path);
    unlink(path); /* stale: the lock beside it is ours */
    door = (struct watch){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                          .ready = on_door};
    say_follow(control_event);
    operation_follow(control_answer);
    if (door.fd < 0 || bind(door.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(door.fd, 64) < 0 || reactor_watch(&door, EPOLLIN) < 0) {
        buf_printf(error, "control: %s: %s; create the folder or choose another path\n", path,
                   strerror(errno));
        return false;
    }
    return set_group(group, error);
}

void control_close(void)
{
    while (!list_empty(&clients)) {
        struct client *client = list_entry(clients.next, struct client, node);

        client_flush(client);
        client_drop(client);
    }
    reactor_unwatch(&door);
    sys_close(&door.fd);
    if (socket_path[0])
        unlink(socket_path);
}
