/* multipart/byteranges; see parts.h. Any thread.
 *
 * A part ends where the boundary stands, so it may stand in none: that is looked up, which is what
 * the bound on the body's size is for.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "read.h"

#define BOUNDARY 32 /* room for one */
#define PART_HEAD 256 /* more than all that stands between two parts, but for the media type */

static int read_ranges(int fd, char *to, const struct ranges *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        if (read_whole(fd, to, (size_t)ranges->list[i].length, ranges->list[i].first) != 0)
            return -1;
        to += ranges->list[i].length;
    }
    return 0;
}

/* One that does not stand in the data. The ranges are looked at as if they were one, which may find
 * a boundary too many but never one too few. */
static void choose_boundary(char boundary[BOUNDARY], const char *data, size_t length)
{
    unsigned number = 0;
    do
        snprintf(boundary, BOUNDARY, "reeve-part-%08x", number++);
    while (memmem(data, length, boundary, strlen(boundary)) != NULL);
}

static char *compose(char *at, const char *data, const char *boundary, uint64_t size,
                     const char *type, const struct ranges *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->list[i];
        at += sprintf(at,
                      "%s--%s\r\nContent-Type: %s\r\n"
                      "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
                      i > 0 ? "\r\n" : "", boundary, type, range->first,
                      range->first + range->length - 1, size);
        memcpy(at, data, (size_t)range->length);
        at += range->length;
        data += range->length;
    }
    return at + sprintf(at, "\r\n--%s--\r\n", boundary);
}

char *parts_read(int fd, uint64_t size, const char *type, const struct ranges *ranges,
                 char body_type[PARTS_TYPE], size_t *length)
{
    uint64_t sum = range_sum(ranges);
    if (sum > PARTS_MOST) {
        errno = EFBIG;
        return NULL;
    }
    char *data = malloc((size_t)sum);
    char *body = malloc((size_t)sum + (ranges->count + 1) * (PART_HEAD + strlen(type)));
    if (data != NULL && body != NULL && read_ranges(fd, data, ranges) == 0) {
        char boundary[BOUNDARY];
        choose_boundary(boundary, data, (size_t)sum);
        *length = (size_t)(compose(body, data, boundary, size, type, ranges) - body);
        snprintf(body_type, PARTS_TYPE, "multipart/byteranges; boundary=%s", boundary);
        free(data);
        return body;
    }
    int error = errno;
    free(data);
    free(body);
    errno = error;
    return NULL;
}
