/* A client of the control socket; see client.h.
 *
 * Master; control.c owns the clients. Nothing here waits, and what they leave unread is bounded. */
#include "config.h"

#include "master/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define UNSENT_ENOUGH 65536   /* answers that wait: no further request is carried out */
#define UNREAD_MAX (1u << 20) /* events: a client that leaves more unread is dropped */

bool client_read(struct client *client)
{
    char room[CONTROL_LINE];
    ssize_t n = recv(client->watch.fd, room, sizeof(room), MSG_DONTWAIT);

    if (n > 0)
        buf_add(&client->in, room, (size_t)n);
    if (n == 0)
        client->ended = true;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

bool client_has_request(const struct client *client)
{
    return !client->operation && client->out.length < UNSENT_ENOUGH && client->in.length > 0 &&
           memchr(client->in.data, '\n', client->in.length);
}

/* What is unread, but for an answer that it has asked for. */
static bool reads_too_little(const struct client *client)
{
    return client->out.length - client->answer > UNREAD_MAX;
}

static bool has_all(const struct client *client)
{
    return client->ended && client->out.length == 0 && !client->operation && !client->follows &&
           !client->follows_slow && !client_has_request(client);
}

static void sent(struct client *client, size_t length)
{
    buf_drop(&client->out, length);
    client->answer -= length < client->answer ? length : client->answer;
}

bool client_flush(struct client *client)
{
    uint32_t events = 0;

    while (client->out.length > 0) {
        ssize_t n = send(client->watch.fd, client->out.data, client->out.length,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0)
            sent(client, (size_t)n);
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return false;
    }
    if (client->out.failed || reads_too_little(client) || has_all(client))
        return false;
    if (client->in.length <= CONTROL_LINE && !client->ended)
        events |= EPOLLIN;
    if (client->out.length > 0 || client_has_request(client))
        events |= EPOLLOUT; /* for a request that stands in `in` already: the next turn */
    return reactor_watch(&client->watch, events) == 0;
}

void client_flush_or_doom(struct client *client)
{
    if (!client_flush(client))
        shutdown(client->watch.fd, SHUT_RDWR);
}

void client_put(struct client *client, json_t *object)
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

void client_put_answer(struct client *client, json_t *object)
{
    client_put(client, object);
    client->answer = client->out.length;
}

json_t *client_text(const char *text)
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
