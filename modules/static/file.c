/* Answering with an opened file; see file.h. Runs in the loop's thread or a pool's; nothing is
 * kept.
 *
 * A file that has become shorter since it was looked at, or cannot be read, is given to the engine
 * with the length that was promised: it ends the connection, so that nobody takes a part for the
 * whole.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "condition.h"
#include "date.h"
#include "file.h"
#include "parts.h"
#include "range.h"
#include "read.h"

#define SMALL_FILE 16384 /* up to here bytes are read and leave together with the header */
#define TAG_TEXT 64

/* The form in which the file is sent (RFC 9110, 3.2), and its validators. */
struct form {
    const char *coding; /* Content-Encoding; NULL: none */
    bool zip;           /* it is still to be compressed */
    bool varies;        /* other clients may get another form */
    char tag[TAG_TEXT];
    char date[DATE_TEXT]; /* "" if the time cannot be written */
    struct condition_state state;
};

/* ---------------------------------------------------------------- validators -------- */

static char *put_hex(char *at, uint64_t number)
{
    int shift = 60;
    while (shift > 0 && number >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[number >> shift & 15];
    return at;
}

/* The tag is made of size and time of change, to the nanosecond, and not of the inode: the same
 * tree on several hosts, behind one name, must have the same tags. It is strong: the kernel's clock
 * for files ticks every few milliseconds, and only two changes within one tick that leave the
 * length as it was would share a tag. What is compressed here has a weak one: another build of zlib
 * makes other bytes of the same text (8.8.1). */
static void write_tag(char *at, const struct file *file, const struct form *form)
{
    uint64_t time = (uint64_t)file->st.st_mtim.tv_sec * 1000000000u +
                    (uint64_t)file->st.st_mtim.tv_nsec;
    if (form->zip)
        at = stpcpy(at, "W/");
    *at++ = '"';
    at = put_hex(at, (uint64_t)file->st.st_size);
    *at++ = '-';
    at = put_hex(at, time);
    if (form->coding != NULL) {
        *at++ = '-';
        at = stpcpy(at, form->coding);
    }
    *at++ = '"';
    *at = '\0';
}

static void describe(const reeve_request *request, const struct extra *extra,
                     const struct file *file, struct form *form)
{
    int64_t now = reeve_time(), modified = file->st.st_mtim.tv_sec;
    bool fits = gzip_fits(&extra->gzip, file->type);
    if (modified > now)
        modified = now; /* RFC 9110, 8.8.2.1: never later than Date */
    form->zip = fits && file->coding == NULL &&
                gzip_wanted(&extra->gzip, request, (uint64_t)file->st.st_size);
    form->coding = file->coding != NULL ? file->coding->name : form->zip ? "gzip" : NULL;
    form->varies = fits || extra->coding_count > 0;
    write_tag(form->tag, file, form);
    if (!date_format(modified, form->date))
        form->date[0] = '\0';
    form->state = (struct condition_state){.tag = form->tag, .modified = modified, .now = now};
}

/* ---------------------------------------------------------------- fields ------------ */

/* What 200, 206 and 304 have in common (RFC 9110, 15.4.5). */
static bool put_common(reeve_request *request, const struct extra *extra, const struct form *form)
{
    if (reeve_set_header(request, "ETag", form->tag) != 0)
        return false;
    if (form->varies && reeve_set_header(request, "Vary", "Accept-Encoding") != 0)
        return false;
    return extra->cache_control[0] == '\0' ||
           reeve_set_header(request, "Cache-Control", extra->cache_control) == 0;
}

/* Of what is compressed no ranges are sent: its bytes are not the same each time. */
static bool put_fields(reeve_request *request, const struct extra *extra, const struct form *form)
{
    if (form->date[0] != '\0' && reeve_set_header(request, "Last-Modified", form->date) != 0)
        return false;
    if (form->coding != NULL && reeve_set_header(request, "Content-Encoding", form->coding) != 0)
        return false;
    if (!form->zip && reeve_set_header(request, "Accept-Ranges", "bytes") != 0)
        return false;
    return put_common(request, extra, form);
}

static bool put_range(reeve_request *request, const struct range *range, uint64_t size)
{
    char text[80];
    snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first,
             range->first + range->length - 1, size);
    return reeve_set_header(request, "Content-Range", text) == 0;
}

/* ---------------------------------------------------------------- answers ----------- */

static int send_status(reeve_request *request, const struct file *file, int status)
{
    close(file->fd);
    return reeve_reply_status(request, status);
}

static int send_unmodified(reeve_request *request, const struct extra *extra,
                           const struct file *file, const struct form *form)
{
    close(file->fd);
    if (!put_common(request, extra, form))
        return -1;
    return reeve_reply(request, 304, NULL, NULL, 0);
}

static int send_unsatisfiable(reeve_request *request, const struct file *file)
{
    char text[40];
    snprintf(text, sizeof text, "bytes */%" PRIu64, (uint64_t)file->st.st_size);
    if (reeve_set_header(request, "Content-Range", text) == 0)
        return send_status(request, file, 416);
    close(file->fd);
    return -1;
}

/* The loop takes what is in memory only. What is not, the engine reads where it may wait. */
static bool read_small(const reeve_request *request, const struct file *file,
                       const struct range *range, char data[SMALL_FILE])
{
    size_t length = (size_t)range->length;
    if (range->length > SMALL_FILE || strcmp(reeve_method(request), "HEAD") == 0)
        return false;
    return reeve_may_wait(request) ? read_whole(file->fd, data, length, range->first) == 0
                                   : read_cached(file->fd, &file->st, data, length, range->first);
}

/* The fields have been set. */
static int send_part(reeve_request *request, const struct file *file, const struct range *range)
{
    char data[SMALL_FILE];
    if (!read_small(request, file, range, data))
        return reeve_reply_file(request, 206, file->type, file->fd, (off_t)range->first,
                                (size_t)range->length);
    close(file->fd);
    return reeve_reply(request, 206, file->type, data, (size_t)range->length);
}

static int send_whole(reeve_request *request, const struct file *file)
{
    char data[SMALL_FILE];
    const struct range whole = {.length = (uint64_t)file->st.st_size};
    if (whole.length > SMALL_FILE)
        return cache_answer_file(&file->place, &file->st, request, file->type, file->fd);
    if (!read_small(request, file, &whole, data))
        return reeve_reply_file(request, 200, file->type, file->fd, 0, (size_t)whole.length);
    close(file->fd);
    return cache_answer(&file->place, &file->st, request, file->type, data,
                        (size_t)whole.length);
}

static int send_ranges(reeve_request *request, const struct file *file,
                       const struct ranges *ranges)
{
    uint64_t size = (uint64_t)file->st.st_size;
    if (ranges->count == 0)
        return send_whole(request, file);
    if (ranges->count > 1)
        return parts_send(request, file->fd, size, file->type, ranges);
    if (put_range(request, &ranges->list[0], size))
        return send_part(request, file, &ranges->list[0]);
    close(file->fd);
    return -1;
}

/* Which ranges are wanted. Of an empty file none can be satisfied; some clients ask for one with
 * every request, and are better off with the whole. */
static enum range_result wanted(reeve_request *request, const struct file *file,
                                const struct condition_state *state, struct ranges *ranges)
{
    const char *field = reeve_header(request, "Range");
    ranges->count = 0;
    if (field == NULL || file->st.st_size == 0 || strcmp(reeve_method(request), "GET") != 0 ||
        !condition_range(reeve_header(request, "If-Range"), state))
        return RANGE_IGNORED;
    return range_parse(field, (uint64_t)file->st.st_size, ranges);
}

/* Whether it takes too long for the loop: several parts are read from the disk, and to compress is
 * to compute. */
static bool is_long(const struct form *form, const struct ranges *ranges)
{
    return ranges->count > 1 || form->zip;
}

/* The whole or a part, as the preconditions allow it. */
static int send_content(reeve_request *request, const struct extra *extra, const struct file *file,
                        const struct form *form)
{
    struct ranges ranges;
    enum range_result result = wanted(request, file, &form->state, &ranges);
    if (result == RANGE_UNSATISFIABLE)
        return send_unsatisfiable(request, file);
    if (result == RANGE_IGNORED)
        ranges.count = 0;
    bool again = is_long(form, &ranges) && !reeve_may_wait(request);
    if (again || !put_fields(request, extra, form)) {
        close(file->fd);
        return again ? reeve_again(request) : -1; /* it is opened anew there */
    }
    return form->zip ? gzip_send(&extra->gzip, request, file)
                     : send_ranges(request, file, &ranges);
}

int file_send(reeve_request *request, const struct extra *extra, const struct file *file)
{
    struct form form;
    const struct condition_fields fields = {
        .match = reeve_header(request, "If-Match"),
        .none_match = reeve_header(request, "If-None-Match"),
        .unmodified_since = reeve_header(request, "If-Unmodified-Since"),
        .modified_since = reeve_header(request, "If-Modified-Since"),
    };
    describe(request, extra, file, &form);
    switch (condition_check(&fields, &form.state)) {
    case CONDITION_TRUE:
        return send_content(request, extra, file, &form);
    case CONDITION_UNMODIFIED:
        return send_unmodified(request, extra, file, &form);
    case CONDITION_FALSE:
        break;
    }
    return send_status(request, file, 412);
}
