/* Compressing files while they are sent; see gzip.h. In a pool thread, where there are any; what is
 * kept belongs to the request.
 *
 * A small file is compressed at once and has a length. A larger one is an answer in pieces, whose
 * length nobody knows before: it is chunked. However long it is, zlib's state and one piece of it
 * are in memory, some 300 KiB; so that many slow readers do not add up, no more than STREAMS_MOST
 * of them are compressed at once in a process. What comes above that is sent as it is, which is
 * right for every client. A file that has become shorter, or cannot be read, is an error, or if its
 * answer has begun, the end of the connection before the last chunk.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "accept.h"
#include "file.h"
#include "gzip.h"
#include "read.h"

#define SMALL_FILE 65536 /* up to here it is compressed at once */
#define STREAMS_MOST 256
#define INPUT 16384 /* bytes that are read at a time */
#define PIECE 32768 /* bytes of gzip that make a piece of the answer */

static atomic_uint streams; /* of this process */

/* ---------------------------------------------------------------- configuration ----- */

/* "text/html", or with "*" in place of all behind the slash; parameters do not belong here. */
static bool is_kind(const char *type)
{
    const char *slash = strchr(type, '/'), *star = strchr(type, '*');
    return slash != NULL && slash != type && slash[1] != '\0' && strpbrk(type, "; \t") == NULL &&
           (star == NULL || (star == slash + 1 && star[1] == '\0'));
}

static int read_types(const reeve_section *section, struct gzip *gzip)
{
    size_t count = reeve_conf_count(section, "gzip_types");
    gzip->types = count > 0 ? calloc(count, sizeof *gzip->types) : NULL;
    if (count > 0 && gzip->types == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    for (; gzip->type_count < count; gzip->type_count++) {
        const char *type = reeve_conf_item(section, "gzip_types", gzip->type_count);
        if (!is_kind(type))
            return reeve_conf_error(section, "gzip_types", "\"%s\" is no media type: write one "
                                    "such as \"application/json\" or \"text/*\"", type);
        gzip->types[gzip->type_count] = type;
    }
    return 0;
}

static const char *const of_gzip[] = {"gzip_types", "gzip_least", "gzip_level"};

int gzip_read(const reeve_section *section, bool may_transform, struct gzip *gzip)
{
    gzip->on = reeve_conf_bool(section, "gzip") && may_transform;
    if (!reeve_conf_bool(section, "gzip"))
        for (size_t i = 0; i < sizeof of_gzip / sizeof *of_gzip; i++)
            reeve_conf_idle(section, of_gzip[i], "gzip = on");
    gzip->level = (int)reeve_conf_int(section, "gzip_level");
    gzip->least = (uint64_t)reeve_conf_int(section, "gzip_least");
    return read_types(section, gzip);
}

void gzip_free(struct gzip *gzip)
{
    free(gzip->types);
    *gzip = (struct gzip){0};
}

/* ---------------------------------------------------------------- choosing ---------- */

/* Is `type`, whose own part has `length` bytes, of this kind, such as "text/html" or "text/..."? */
static bool is_of(const char *type, size_t length, const char *kind)
{
    size_t kind_length = strlen(kind);
    if (kind[kind_length - 1] == '*')
        return length >= kind_length - 1 && strncasecmp(type, kind, kind_length - 1) == 0;
    return length == kind_length && strncasecmp(type, kind, length) == 0;
}

bool gzip_fits(const struct gzip *gzip, const char *type)
{
    if (!gzip->on)
        return false;
    size_t length = strcspn(type, "; ");
    for (size_t i = 0; i < gzip->type_count; i++)
        if (is_of(type, length, gzip->types[i]))
            return true;
    return false;
}

bool gzip_wanted(const struct gzip *gzip, const reeve_request *request, uint64_t size)
{
    const struct accept_coding *const offered[] = {accept_find("gzip")};
    const struct accept_coding *order[1];
    return size >= gzip->least && reeve_header(request, "Range") == NULL &&
           accept_order(reeve_header(request, "Accept-Encoding"), offered, 1, order) == 1 &&
           (size <= SMALL_FILE ||
            atomic_load_explicit(&streams, memory_order_relaxed) < STREAMS_MOST);
}

/* ---------------------------------------------------------------- small files ------- */

/* The least window, as zlib counts them, in which all of a small file is. */
static int window_of(uint64_t size)
{
    int bits = 9;
    while (bits < MAX_WBITS && (UINT64_C(1) << bits) < size + 262) /* zlib keeps so much free */
        bits++;
    return bits;
}

/* False: memory is short. */
static bool start(const struct gzip *gzip, z_stream *zip, uint64_t size)
{
    *zip = (z_stream){0};
    /* 16: in the format of gzip; 8: zlib's own choice between speed and memory */
    return deflateInit2(zip, gzip->level, Z_DEFLATED, 16 + window_of(size), 8,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

static int send_small(const struct gzip *gzip, reeve_request *request, const struct file *file)
{
    unsigned char in[SMALL_FILE];
    size_t size = (size_t)file->st.st_size;
    int result = -1;
    z_stream zip;
    if (!start(gzip, &zip, size))
        return -1;
    uLong room = deflateBound(&zip, (uLong)size);
    unsigned char *out = reeve_alloc(request, room);
    if (out != NULL && read_whole(file->fd, in, size, 0) == 0) {
        zip.next_in = in;
        zip.avail_in = (uInt)size;
        zip.next_out = out;
        zip.avail_out = (uInt)room;
        deflate(&zip, Z_FINISH); /* there is room for all of it */
        result = cache_answer(&file->place, &file->st, request, file->type, out, zip.total_out);
    }
    deflateEnd(&zip);
    return result;
}

/* ---------------------------------------------------------------- large files ------- */

struct squeeze {
    int fd;
    uint64_t at, left; /* of the file */
    z_stream zip;
};

/* Compresses what is in hand, and says it. 0, or -1. */
static int say(reeve_request *request, z_stream *zip, int flush)
{
    unsigned char out[PIECE];
    do {
        zip->next_out = out;
        zip->avail_out = sizeof out;
        deflate(zip, flush); /* fails for wrong arguments only */
        if (reeve_write(request, out, sizeof out - zip->avail_out) != 0)
            return -1;
    } while (zip->avail_out == 0);
    return 0;
}

static int more(reeve_request *request, void *arg)
{
    struct squeeze *squeeze = arg;
    unsigned char in[INPUT];
    uLong before = squeeze->zip.total_out;
    do {
        size_t length = squeeze->left < INPUT ? (size_t)squeeze->left : INPUT;
        if (read_whole(squeeze->fd, in, length, squeeze->at) != 0)
            return -1;
        squeeze->at += length;
        squeeze->left -= length;
        squeeze->zip.next_in = in;
        squeeze->zip.avail_in = (uInt)length;
        if (say(request, &squeeze->zip, squeeze->left > 0 ? Z_NO_FLUSH : Z_FINISH) != 0)
            return -1;
    } while (squeeze->left > 0 && squeeze->zip.total_out - before < PIECE);
    return squeeze->left > 0;
}

static void over(void *arg)
{
    struct squeeze *squeeze = arg;
    deflateEnd(&squeeze->zip);
    close(squeeze->fd);
    atomic_fetch_sub_explicit(&streams, 1, memory_order_relaxed);
}

static int send_large(const struct gzip *gzip, reeve_request *request, int fd, uint64_t size,
                      const char *type)
{
    struct squeeze *squeeze = reeve_alloc(request, sizeof *squeeze);
    if (squeeze == NULL || !start(gzip, &squeeze->zip, size)) {
        close(fd);
        return -1;
    }
    squeeze->fd = fd;
    squeeze->at = 0;
    squeeze->left = size;
    atomic_fetch_add_explicit(&streams, 1, memory_order_relaxed);
    if (reeve_reply_stream(request, 200, type, REEVE_UNKNOWN_LENGTH, more, over, squeeze) == 0)
        return 0;
    over(squeeze);
    return -1;
}

int gzip_send(const struct gzip *gzip, reeve_request *request, const struct file *file)
{
    uint64_t size = (uint64_t)file->st.st_size;
    if (size > SMALL_FILE)
        return send_large(gzip, request, file->fd, size, file->type);
    int result = send_small(gzip, request, file);
    close(file->fd);
    return result;
}
