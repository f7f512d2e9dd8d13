/* The input of a connection. It is read into the loop's scratch buffer and shown to the protocol
 * there; only what a step left unconsumed is copied into a buffer of the connection's own, and
 * further input is then read behind it until all is consumed.
 *
 * Thread: the loop's. Memory: `input` points into the scratch buffer only while step.c works on
 * this connection; conn_keep_input() moves it out before another one is run. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "net/conn.h"
#include "net/loop-private.h"

#define READ_LEAST 16384 /* bytes asked for at once, when the protocol is content with less */
#define BUFFER_LEAST 2048
#define DISCARD_MOST (1024 * 1024) /* bytes that a lingering connection takes */

size_t conn_max_input(const struct reeve_conn *conn)
{
    return conn->protocol->max_input ? conn->protocol->max_input : SCRATCH;
}

/* A buffer of the connection's own with the unconsumed input at its start and room behind it. */
static int own_buffer(struct reeve_conn *conn, size_t room)
{
    size_t least = conn->input_length + room;
    if (conn->buffer_size >= least) {
        if (conn->input != conn->buffer)
            memmove(conn->buffer, conn->input, conn->input_length);
    } else {
        size_t size = BUFFER_LEAST;
        while (size < least)
            size *= 2;
        char *buffer = malloc(size);
        if (!buffer)
            return -1;
        memcpy(buffer, conn->input, conn->input_length);
        free(conn->buffer);
        conn->buffer = buffer;
        conn->buffer_size = size;
    }
    conn->input = conn->buffer;
    return 0;
}

/* Where to read to, and how much. NULL: memory is short. */
static char *read_room(struct reeve_conn *conn, size_t *room)
{
    size_t max = conn_max_input(conn);
    if (!conn->input_length) {
        *room = max > SCRATCH ? SCRATCH : max < READ_LEAST ? READ_LEAST : max;
        conn->input = conn->loop->scratch;
        return conn->loop->scratch;
    }
    /* Room in steps, not for `max` at once: who drips bytes shall not cost much. */
    *room = conn->input_length < BUFFER_LEAST / 2 ? BUFFER_LEAST / 2 : conn->input_length;
    if (conn->input_length < max && *room > max - conn->input_length)
        *room = max - conn->input_length;
    if (own_buffer(conn, *room) < 0)
        return NULL;
    return conn->buffer + conn->input_length;
}

bool conn_fill(struct reeve_conn *conn, int *failed)
{
    size_t room;
    ssize_t n;
    *failed = 0;
    char *to = read_room(conn, &room);
    if (!to) {
        *failed = ENOMEM;
        return false;
    }
    do
        n = sys_recv(conn->source.fd, to, room);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        conn->readable = false;
        *failed = errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
        return false;
    }
    if (n == 0) {
        conn->at_end = true;
        conn->readable = false;
        return true;
    }
    if ((size_t)n < room && !conn->hangup)
        conn->readable = false; /* all is read: the next byte will be told */
    conn->input_length += (size_t)n;
    board_add(&conn->loop->settings.record->bytes_in, (uint64_t)n);
    return true;
}

int conn_keep_input(struct reeve_conn *conn)
{
    if (!conn->input_length) {
        free(conn->buffer);
        conn->buffer = NULL;
        conn->buffer_size = 0;
        conn->input = NULL;
        return 0;
    }
    bool there = conn->buffer && conn->input >= conn->buffer &&
                 conn->input < conn->buffer + conn->buffer_size;
    return there ? 0 : own_buffer(conn, 0);
}

bool conn_discard(struct reeve_conn *conn)
{
    while (conn->readable && conn->discarded < DISCARD_MOST) {
        ssize_t n = sys_recv(conn->source.fd, conn->loop->scratch, SCRATCH);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            conn->readable = false;
            return true;
        }
        if (n <= 0)
            return false;
        conn->discarded += (uint32_t)n;
    }
    return conn->discarded < DISCARD_MOST;
}
