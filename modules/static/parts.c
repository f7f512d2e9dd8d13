/* multipart/byteranges; see parts.h. An answer in pieces, in a pool thread where there are any;
 * what is kept of it belongs to the request. However much was asked for, one piece of it is in
 * memory.
 *
 * A part ends where the boundary stands, so it may stand in none of them: it is 128 random bits,
 * which nobody meets in a file by chance, nor can put there on purpose. The length that is promised
 * holds: what stands between the parts is written by the same function when it is measured and when
 * it is sent, and a file that has become shorter ends the connection.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "parts.h"
#include "read.h"

#define BOUNDARY 33 /* room for one */
#define BETWEEN_MOST 512 /* more than what stands between two parts; types have at most 127 bytes */
#define PIECE 32768 /* bytes of ranges in one piece of the answer */

struct parts {
    int fd;
    uint64_t size;
    const char *type; /* "": none is known */
    char boundary[BOUNDARY];
    struct ranges ranges;
    size_t at;       /* the part in hand */
    uint64_t within; /* bytes of it that were sent; 0: its head was not either */
};

static bool choose_boundary(char boundary[BOUNDARY])
{
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    snprintf(boundary, BOUNDARY, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    return true;
}

/* What stands before the part of that number, or behind the last one. How long it is. */
static size_t write_between(const struct parts *parts, size_t number, char text[BETWEEN_MOST])
{
    const struct range *range = &parts->ranges.list[number];
    const char *line = number > 0 ? "\r\n" : "";
    int n = number == parts->ranges.count
                ? snprintf(text, BETWEEN_MOST, "\r\n--%s--\r\n", parts->boundary)
                : snprintf(text, BETWEEN_MOST,
                           "%s--%s\r\n%s%s%s"
                           "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
                           line, parts->boundary, *parts->type != '\0' ? "Content-Type: " : "",
                           parts->type, *parts->type != '\0' ? "\r\n" : "", range->first,
                           range->first + range->length - 1, parts->size);
    return (size_t)n;
}

static uint64_t measure(const struct parts *parts)
{
    char text[BETWEEN_MOST];
    uint64_t length = range_sum(&parts->ranges);
    for (size_t i = 0; i <= parts->ranges.count; i++)
        length += write_between(parts, i, text);
    return length;
}

static int send_between(reeve_request *request, const struct parts *parts)
{
    char text[BETWEEN_MOST];
    return reeve_write(request, text, write_between(parts, parts->at, text));
}

/* The next bytes of the part in hand, at most *room, which becomes less by them. 0, or -1. */
static int send_data(reeve_request *request, struct parts *parts, size_t *room)
{
    char data[PIECE];
    const struct range *range = &parts->ranges.list[parts->at];
    uint64_t left = range->length - parts->within;
    size_t length = left < *room ? (size_t)left : *room;
    if (read_whole(parts->fd, data, length, range->first + parts->within) != 0 ||
        reeve_write(request, data, length) != 0)
        return -1;
    *room -= length;
    parts->within += length;
    if (parts->within == range->length) {
        parts->at++;
        parts->within = 0;
    }
    return 0;
}

static int more(reeve_request *request, void *arg)
{
    struct parts *parts = arg;
    size_t room = PIECE;
    while (parts->at < parts->ranges.count) {
        if (room == 0)
            return 1;
        if ((parts->within == 0 && send_between(request, parts) != 0) ||
            send_data(request, parts, &room) != 0)
            return -1;
    }
    return send_between(request, parts);
}

static void over(void *arg)
{
    const struct parts *parts = arg;
    close(parts->fd);
}

int parts_send(reeve_request *request, int fd, uint64_t size, const char *type,
               const struct ranges *ranges)
{
    char body_type[64 + BOUNDARY];
    struct parts *parts = reeve_alloc(request, sizeof *parts);
    if (parts == NULL || !choose_boundary(parts->boundary)) {
        close(fd);
        return -1;
    }
    parts->fd = fd;
    parts->size = size;
    parts->type = type;
    parts->ranges = *ranges;
    parts->at = 0;
    parts->within = 0;
    snprintf(body_type, sizeof body_type, "multipart/byteranges; boundary=%s", parts->boundary);
    if (reeve_reply_stream(request, 206, body_type, measure(parts), more, over, parts) == 0)
        return 0;
    close(fd);
    return -1;
}
