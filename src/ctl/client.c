/* The connection to the control socket. reevectl, one thread; the client owns its descriptor and
 * what was received. Nothing waits for ever unless it was asked to: sending and connecting have a
 * time limit of their own, reading the caller's deadline. */
#include "config.h"

#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/sys.h"

#define SEND_SECONDS 5
#define LINE_LIMIT (64 << 20)

/* What to do about a failed connect, by errno. */
static const char *connect_hint(int error)
{
    switch (error) {
    case ENOENT:
        return "is reeved running? If its control socket is elsewhere, say so by -s or "
               "REEVE_CONTROL";
    case ECONNREFUSED:
        return "reeved is not running (the socket was left behind); start it";
    case EACCES:
    case EPERM:
        return "only root, the server's owner and its control_group may; try sudo";
    case EAGAIN:
        return "reeved does not answer: is it stopped (SIGSTOP), or very busy?";
    default:
        return "is this the control socket of a reeved?";
    }
}

bool client_connect(struct client *client, const char *path, struct buf *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* Counts for connect() too, where the server's backlog may be full. */
    struct timeval limit = {.tv_sec = SEND_SECONDS};
    int saved;

    *client = (struct client){.fd = -1};
    if (strlen(path) >= sizeof address.sun_path) {
        buf_printf(error, "cannot connect to %s: a socket's path has at most %zu bytes", path,
                   sizeof address.sun_path - 1);
        return false;
    }
    strcpy(address.sun_path, path);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd >= 0)
        setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (client->fd >= 0 &&
        connect(client->fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return true;
    saved = errno;
    client_close(client);
    buf_printf(error, "cannot connect to %s: %s; %s", path,
               saved == EAGAIN ? "timed out" : strerror(saved), connect_hint(saved));
    return false;
}

bool client_send(struct client *client, const struct buf *line, struct buf *error)
{
    size_t done = 0;

    while (done < line->length) {
        ssize_t n = send(client->fd, line->data + done, line->length - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            buf_printf(error, "cannot send the request: %s",
                       errno == EAGAIN ? "timed out" : strerror(errno));
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* Waits for input. CLIENT_LINE: there is some. */
static enum client_read wait_input(int fd, int64_t deadline, struct buf *error)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - clock_fresh_ms();
        int n;

        if (deadline >= 0 && left < 0)
            left = 0;
        n = poll(&p, 1, (int)(left > INT32_MAX ? INT32_MAX : left));
        if (n > 0)
            return CLIENT_LINE;
        if (n == 0 && deadline >= 0 && clock_fresh_ms() >= deadline)
            return CLIENT_LATE;
        if (n < 0 && errno != EINTR) {
            buf_printf(error, "cannot wait for the answer: %s", strerror(errno));
            return CLIENT_FAILED;
        }
    }
}

static enum client_read receive(struct client *client, struct buf *error)
{
    char room[16384];
    ssize_t n = recv(client->fd, room, sizeof room, 0);

    if (n < 0 && errno == EINTR)
        return CLIENT_LINE;
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return CLIENT_CLOSED;
    if (n < 0) {
        buf_printf(error, "cannot read the answer: %s", strerror(errno));
        return CLIENT_FAILED;
    }
    buf_add(&client->in, room, (size_t)n);
    if (client->in.failed || client->in.length > LINE_LIMIT) {
        buf_adds(error, "the answer is too long");
        return CLIENT_FAILED;
    }
    return CLIENT_LINE;
}

enum client_read client_line(struct client *client, int64_t deadline, struct buf *line,
                             struct buf *error)
{
    size_t seen = 0;

    buf_clear(line);
    for (;;) {
        const char *end = client->in.length > seen
                              ? memchr(client->in.data + seen, '\n', client->in.length - seen)
                              : NULL;
        enum client_read got;

        if (end) {
            size_t length = (size_t)(end - client->in.data);

            buf_add(line, client->in.data, length);
            buf_drop(&client->in, length + 1);
            return CLIENT_LINE;
        }
        seen = client->in.length;
        got = wait_input(client->fd, deadline, error);
        if (got == CLIENT_LINE)
            got = receive(client, error);
        if (got != CLIENT_LINE)
            return got;
    }
}

void client_close(struct client *client)
{
    sys_close(&client->fd);
    buf_free(&client->in);
}
