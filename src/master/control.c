/* The clients of the control socket; see control.h. How they come in is in door.c, what passes
 * between them and us in client.c, what they may ask in verbs.c.
 *
 * Master, which owns the clients. They are many, slow and perhaps hostile: nothing here waits for
 * them, what they say and what they leave unread is bounded. */
#include "config.h"

#include "master/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/sys.h"
#include "master/carry.h"
#include "master/door.h"
#include "master/operation.h"
#include "master/state.h"

#define CLIENTS_MAX 64 /* of each kind of access */

static control_dispatcher *dispatcher;
static struct list clients = {&clients, &clients};
static int client_counts[2]; /* by enum control_access */

void control_serve(control_dispatcher *dispatch)
{
    dispatcher = dispatch;
}

static void client_drop(struct client *client)
{
    list_remove(&client->node);
    client_counts[client->access]--;
    timer_cancel(&client->patience);
    reactor_unwatch(&client->watch);
    sys_close(&client->watch.fd);
    buf_free(&client->in);
    buf_free(&client->out);
    free(client);
}

void control_reply(struct client *client, enum control_code code, uint32_t operation,
                   const char *text, json_t *data)
{
    json_t *object = json_pack("{s:s,s:i,s:o?,s:o,s:o?}", "type", "result", "code", (int)code,
                               "operation", operation ? json_integer(operation) : NULL, "text",
                               client_text(text), "data", data);

    client->operation = 0;
    timer_cancel(&client->patience);
    client_put_answer(client, object);
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
        json_t *data = json_incref(operation->data);

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
    char stamp[CLOCK_STAMP];

    clock_stamp(stamp);
    return json_pack("{s:s,s:s,s:s,s:o}", "type", "event", "time", stamp, "tag", log_tags[tag].tag,
                     "text", client_text(text));
}

void control_follow(struct client *client)
{
    client->follows = true;
    client_put(client, event_json(LOG_FOLLOWING, "every event from here on"));
}

void control_follow_slow(struct client *client)
{
    client->follows_slow = true;
    client_put(client, event_json(LOG_FOLLOWING, "every new entry of the slow log from here on"));
}

void control_slow(json_t *entry)
{
    list_each(node, &clients) {
        struct client *client = list_entry(node, struct client, node);

        if (!client->follows_slow)
            continue;
        client_put(client, json_pack("{s:s,s:O}", "type", "slow", "entry", entry));
        client_flush_or_doom(client);
    }
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

/* Carries out one line: whoever sends a thousand takes turns with everything else. False: the
 * client is to be dropped. */
static bool client_serve(struct client *client)
{
    char *end;
    size_t length;

    if (!client_has_request(client))
        return client->in.length <= CONTROL_LINE || client->operation || client->out.length > 0;
    end = memchr(client->in.data, '\n', client->in.length);
    length = (size_t)(end - client->in.data);
    *end = '\0';
    if (strlen(client->in.data) != length)
        control_reply(client, CONTROL_REFUSED, 0, "a request is text, without NUL", NULL);
    else
        dispatcher(client, client->in.data);
    buf_drop(&client->in, length + 1);
    return true;
}

static void on_client(void *arg, uint32_t events)
{
    struct client *client = arg;
    bool ok = true;

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        ok = client_read(client) && !(client->ended && events & (EPOLLHUP | EPOLLERR));
    if (!ok || client->in.failed || !client_serve(client) || !client_flush(client))
        client_drop(client);
}

static void control_admit(int fd, enum control_access access)
{
    struct client *client = calloc(1, sizeof(*client));

    /* Readers cannot take all places: root must always get in. */
    if (!client || client_counts[access] >= CLIENTS_MAX) {
        say(LOG_CONTROL_REFUSED, "too many control connections (%d)", client_counts[access]);
        free(client);
        sys_close(&fd);
        return;
    }
    client->access = access;
    client->watch = (struct watch){.fd = fd, .ready = on_client, .arg = client};
    client->patience = (struct timer){.fire = on_patience, .arg = client};
    list_append(&clients, &client->node);
    client_counts[access]++;
    if (!client_flush(client))
        client_drop(client);
}

bool control_open(const struct core *core, struct buf *error)
{
    say_follow(control_event);
    operation_follow(control_answer);
    return door_open(core, control_admit, error);
}

/* ---------------------------------------------------------------- upgrade ---------- */

static const struct field client_fields[] = {
    FIELD(INT, struct client, access),          FIELD(FD, struct client, watch.fd),
    FIELD(U32, struct client, operation),       FIELD(BOOL, struct client, follows),
    FIELD(I64, struct client, patience.due),    FIELD(BOOL, struct client, patience.set),
    FIELD(BOOL, struct client, follows_slow),
    FIELDS_END,
};

json_t *control_put(void)
{
    json_t *list = json_array();

    list_each(node, &clients) {
        const struct client *client = list_entry(node, struct client, node);
        json_t *object = fields_put(client_fields, client);

        json_object_set_new(object, "in", carry_bytes(client->in.data, client->in.length));
        json_object_set_new(object, "out", carry_bytes(client->out.data, client->out.length));
        json_array_append_new(list, object);
    }
    return json_pack("{s:o,s:o}", "door", door_put(), "clients", list);
}

static void bytes_take(const json_t *value, struct buf *into)
{
    size_t length;
    char *bytes = carry_bytes_take(value, &length);

    if (bytes)
        buf_add(into, bytes, length);
    free(bytes);
}

static bool client_take(const json_t *object, struct buf *error)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client)
        abort();
    client->watch.fd = -1;
    list_append(&clients, &client->node);
    if (!fields_take(client_fields, object, client, "control client", error))
        return false;
    client->access = client->access == CHANGE ? CHANGE : READ;
    client_counts[client->access]++;
    client->watch.ready = on_client;
    client->watch.arg = client;
    client->patience.fire = on_patience;
    client->patience.arg = client;
    carry_timer(&client->patience);
    bytes_take(json_object_get(object, "in"), &client->in);
    bytes_take(json_object_get(object, "out"), &client->out);
    client->answer = client->out.length;
    if (reactor_watch(&client->watch, EPOLLIN | EPOLLOUT) == 0)
        return true;
    buf_printf(error, "a control client of the state cannot be used: %s\n", strerror(errno));
    return false;
}

bool control_take(const json_t *object, struct buf *error)
{
    say_follow(control_event);
    operation_follow(control_answer);
    return door_take(json_object_get(object, "door"), control_admit, error) &&
           carry_each(object, "clients", client_take, error);
}

void control_close(void)
{
    while (!list_empty(&clients)) {
        struct client *client = list_entry(clients.next, struct client, node);

        client_flush(client);
        client_drop(client);
    }
    door_close();
}
