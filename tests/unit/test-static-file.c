/* static: answers of one opened file, with a request of our own in place of http's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "../../modules/static/file.h"
#include "fake-reeve.h"
#include "fake-turns.h"
#include "unit.h"

/* What is asked, and what was answered. */
static struct {
    struct reeve_request public; /* first */
    const char *method;
    const char *asked[2]; /* a field's name and value */
    int fields_left;      /* so many can be set, then memory is short */
    int status;
    char fields[1024];
    size_t length;
    off_t offset;
    bool by_file;
} r;

static const char *get_method(const reeve_request *request) { return (void)request, r.method; }

static const char *get_header(const reeve_request *request, const char *name)
{
    (void)request;
    return r.asked[0] != NULL && strcmp(r.asked[0], name) == 0 ? r.asked[1] : NULL;
}

static int set_header(reeve_request *request, const char *name, const char *value)
{
    (void)request;
    if (r.fields_left-- <= 0)
        return -1;
    size_t end = strlen(r.fields);
    snprintf(r.fields + end, sizeof r.fields - end, "%s: %s\n", name, value);
    return 0;
}

static int reply(reeve_request *request, int status, const char *type, const void *body,
                 size_t length)
{
    (void)type;
    ck_assert_int_eq(r.status, 0);
    r.status = status;
    r.length = length;
    return body != NULL ? turns_write(request, body, length) : 0;
}

static int reply_file(reeve_request *request, int status, const char *type, int fd, off_t offset,
                      size_t length)
{
    reply(request, status, type, NULL, length);
    r.by_file = true;
    r.offset = offset;
    return close(fd);
}

static int reply_stream(reeve_request *request, int status, const char *type, uint64_t length,
                        int (*more)(reeve_request *, void *), void (*over)(void *), void *arg)
{
    reply(request, status, type, NULL, (size_t)length);
    if (strcmp(r.method, "HEAD") != 0)
        turns_stream(request, length, more, over, arg);
    else if (over != NULL)
        over(arg);
    return 0;
}

static int reply_status(reeve_request *request, int status)
{
    return reply(request, status, NULL, NULL, 0);
}

static const struct reeve_http_api api = {
    .method = get_method, .header = get_header, .set_header = set_header, .reply = reply,
    .reply_file = reply_file, .reply_status = reply_status,
    .reply_stream = reply_stream, TURNS_API,
};

static const struct extra plain = {.cache_control = ""};
static struct extra full; /* all that an operator may set */

#define TEMP "/tmp/test-static-file-XXXXXX" /* where a disk is, if there is one */

static bool on_disk; /* the kernel says that what is asked for is not in memory */

/* In place of the system call: what it really says depends on who else reads the disk. */
ssize_t __real_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags);

ssize_t __wrap_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    if (!on_disk || !(flags & RWF_NOWAIT))
        return __real_preadv2(fd, parts, count, offset, flags);
    errno = EAGAIN;
    return -1;
}

/* Asks for a file that holds `holds` bytes and said that it held `size`, and sees to it that the
 * descriptor is closed. What file_send() returns. */
static int ask(const struct extra *extra, const char *method, const char *name, const char *value,
               size_t holds, size_t size, int fields)
{
    static char data[1000000];
    char path[] = TEMP;
    struct file file = {.fd = mkostemp(path, O_CLOEXEC), .type = "text/plain"};
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(write(file.fd, data, holds), (ssize_t)holds);
    ck_assert_int_eq(fstat(file.fd, &file.st), 0);
    file.st.st_size = (off_t)size;
    file.coding = extra->coding_count > 0 ? extra->codings[0] : NULL;
    memset(&r, 0, sizeof r);
    r.public.api = &api;
    r.method = method;
    r.asked[0] = name;
    r.asked[1] = value;
    r.fields_left = fields;
    turns_forget();
    int kept = dup(file.fd), result = file_send(&r.public, extra, &file);
    ck_assert_int_eq(fcntl(file.fd, F_GETFD), -1);
    if (turns.again) { /* as http does: nothing was said, and now it may wait */
        ck_assert(r.status == 0 && result == 0);
        r.fields[0] = '\0';
        r.fields_left = fields;
        turns.waits = true;
        ck_assert_int_eq(dup2(kept, file.fd), file.fd);
        result = file_send(&r.public, extra, &file);
        ck_assert_int_eq(fcntl(file.fd, F_GETFD), -1);
    }
    close(kept);
    return result;
}

START_TEST(small_ones_are_read)
{
    ck_assert_int_eq(ask(&plain, "GET", NULL, NULL, 100, 100, 9), 0);
    ck_assert(r.status == 200 && r.length == 100 && !r.by_file);
    ck_assert_int_eq(ask(&plain, "GET", NULL, NULL, 0, 0, 9), 0);
    ck_assert(r.status == 200 && r.length == 0 && !r.by_file);
    ck_assert_int_eq(ask(&plain, "GET", NULL, NULL, 20000, 20000, 9), 0);
    ck_assert(r.status == 200 && r.length == 20000 && r.by_file);
    ck_assert_int_eq(ask(&plain, "HEAD", NULL, NULL, 100, 100, 9), 0);
    ck_assert(r.status == 200 && r.length == 100 && r.by_file); /* nothing is read for it */
    ck_assert_int_eq(ask(&plain, "GET", "Range", "bytes=-100", 20000, 20000, 9), 0);
    ck_assert(r.status == 206 && r.length == 100 && !r.by_file);
    ck_assert_int_eq(ask(&plain, "GET", "Range", "bytes=100-", 20000, 20000, 9), 0);
    ck_assert(r.status == 206 && r.length == 19900 && r.by_file && r.offset == 100);
}
END_TEST

/* The loop does not wait for the disk: the engine reads them, where it may. */
START_TEST(cold_ones_are_not_read)
{
    on_disk = true;
    ck_assert_int_eq(ask(&plain, "GET", NULL, NULL, 10000, 10000, 9), 0);
    ck_assert(r.status == 200 && r.length == 10000 && r.offset == 0 && r.by_file);
    ck_assert_int_eq(ask(&plain, "GET", "Range", "bytes=9000-", 10000, 10000, 9), 0);
    ck_assert(r.status == 206 && r.length == 1000 && r.by_file);
    on_disk = false;
}
END_TEST

/* Whoever promised a length sends that, or ends the connection: the engine does so where it is
 * given more of a file than there is. */
START_TEST(a_shorter_file_keeps_its_length)
{
    ck_assert_int_eq(ask(&plain, "GET", NULL, NULL, 10, 100, 9), 0);
    ck_assert(r.status == 200 && r.length == 100 && r.by_file);
    ck_assert_int_eq(ask(&plain, "GET", "Range", "bytes=5-20", 10, 100, 9), 0);
    ck_assert(r.status == 206 && r.length == 16 && r.by_file && r.offset == 5);
    ck_assert_int_eq(ask(&plain, "GET", "Range", "bytes=0-1,90-", 10, 100, 9), 0);
    ck_assert(r.status == 206 && turns.end == -1 && turns.length < turns.promised);
}
END_TEST

static const struct {
    const char *method, *name, *value;
    int status, fields; /* and how many fields it takes */
} answers[] = {
    {"GET", NULL, NULL, 200, 6},
    {"HEAD", NULL, NULL, 200, 6},
    {"GET", "Range", "bytes=0-1", 206, 7},
    {"HEAD", "Range", "bytes=0-1", 200, 6},
    {"GET", "Range", "bytes=0-1,5-6", 206, 6},
    {"GET", "Range", "bytes=100-", 416, 1},
    {"GET", "If-None-Match", "*", 304, 3},
    {"GET", "If-Match", "\"x\"", 412, 0},
};

/* An answer that lacks a field, such as Content-Encoding, would be a wrong one. */
START_TEST(short_memory_gives_no_half_answer)
{
    full.cache_control = "no-cache";
    full.coding_count = 1;
    full.codings[0] = accept_find("gzip");
    for (int fields = 0; fields < answers[_i].fields; fields++) {
        ck_assert_int_eq(ask(&full, answers[_i].method, answers[_i].name, answers[_i].value, 100,
                             100, fields), -1);
        ck_assert_int_eq(r.status, 0);
    }
    ck_assert_int_eq(ask(&full, answers[_i].method, answers[_i].name, answers[_i].value, 100, 100,
                         answers[_i].fields), 0);
    ck_assert_int_eq(r.status, answers[_i].status);
}
END_TEST

/* ---------------------------------------------------------------- gzip -------------- */

static const char *const text_types[] = {"text/*", "image/svg+xml"};
static const struct extra packing = {
    .cache_control = "",
    .gzip = {.on = true, .level = 5, .least = 100, .types = (const char **)text_types,
             .type_count = 2},
};

/* What came, unpacked, is so many zeros. */
static void is_zeros(size_t length)
{
    static unsigned char out[1000000];
    z_stream zip = {.next_in = (unsigned char *)turns.data, .avail_in = (unsigned)turns.length,
                    .next_out = out, .avail_out = sizeof out};
    ck_assert_int_eq(inflateInit2(&zip, 16 + MAX_WBITS), Z_OK);
    ck_assert_int_eq(inflate(&zip, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(zip.avail_in, 0);
    ck_assert_uint_eq(zip.total_out, length);
    for (size_t i = 0; i < length; i++)
        ck_assert_uint_eq(out[i], 0);
    inflateEnd(&zip);
}

START_TEST(gzip_of_every_window)
{
    static const size_t sizes[] = {100, 249, 250, 251, 762, 763, 32768, 65536, 65537, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", sizes[i], sizes[i], 9), 0);
        ck_assert(r.status == 200 && turns.waits && turns.end == 0);
        ck_assert(sizes[i] <= 65536 ? r.length == turns.length
                                    : turns.promised == REEVE_UNKNOWN_LENGTH);
        ck_assert_ptr_nonnull(strstr(r.fields, "Content-Encoding: gzip\nETag: W/\""));
        ck_assert_ptr_nonnull(strstr(r.fields, "-gzip\"\nVary: Accept-Encoding\n"));
        ck_assert_ptr_null(strstr(r.fields, "Accept-Ranges"));
        is_zeros(sizes[i]);
    }
}
END_TEST

START_TEST(gzip_is_not_for_all)
{
    ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", 99, 99, 9), 0);
    ck_assert(r.length == 99 && !turns.waits);
    ck_assert_ptr_nonnull(strstr(r.fields, "Vary: Accept-Encoding\n"));
    ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "br", 100, 100, 9), 0);
    ck_assert(r.length == 100 && !turns.waits);
    ck_assert(gzip_fits(&packing.gzip, "image/svg+xml"));
    ck_assert(gzip_fits(&packing.gzip, "IMAGE/SVG+XML; charset=utf-8"));
    ck_assert(gzip_fits(&packing.gzip, "text/x"));
    ck_assert(!gzip_fits(&packing.gzip, "image/svg"));
    ck_assert(!gzip_fits(&packing.gzip, "image/svg+xmlx"));
    ck_assert(!gzip_fits(&packing.gzip, "texts/x"));
    ck_assert(!gzip_fits(&packing.gzip, "x/text/x"));
    ck_assert(!gzip_fits(&packing.gzip, ""));
}
END_TEST

START_TEST(gzip_head_is_as_get)
{
    ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", 5000, 5000, 9), 0);
    size_t length = r.length;
    ck_assert_int_eq(ask(&packing, "HEAD", "Accept-Encoding", "gzip", 5000, 5000, 9), 0);
    ck_assert(r.status == 200 && r.length == length);
    ck_assert_int_eq(ask(&packing, "HEAD", "Accept-Encoding", "gzip", 0, 70000, 9), 0);
    ck_assert(r.status == 200 && r.length == (size_t)REEVE_UNKNOWN_LENGTH);
    ck_assert_ptr_nonnull(strstr(r.fields, "Content-Encoding: gzip\n"));
}
END_TEST

/* A small one becomes a 500; what has begun ends. */
START_TEST(gzip_of_a_file_that_shrank)
{
    ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", 30000, 40000, 9), -1);
    ck_assert_int_eq(r.status, 0);
    ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", 90000, 100000, 9), 0);
    ck_assert_int_eq(turns.end, -1);
    ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", 0, 100000, 9), 0);
    ck_assert_int_eq(turns.end, -1);
}
END_TEST

/* Empty, although it is said to hold so much. */
static struct file text_file(uint64_t size)
{
    return (struct file){.fd = memfd_create("file", MFD_CLOEXEC), .st.st_size = (off_t)size,
                         .type = "text/plain"};
}

START_TEST(gzip_without_memory_gives_no_half_answer)
{
    for (int fields = 0; fields < 4; fields++) {
        ck_assert_int_eq(ask(&packing, "GET", "Accept-Encoding", "gzip", 5000, 5000, fields), -1);
        ck_assert_int_eq(r.status, 0);
    }
    turns_forget();
    turns.short_of_memory = true;
    for (uint64_t size = 5000; size <= 500000; size *= 100) {
        const struct file file = text_file(size);
        ck_assert_int_eq(gzip_send(&packing.gzip, &r.public, &file), -1);
        ck_assert_int_eq(fcntl(file.fd, F_GETFD), -1);
    }
}
END_TEST

/* Those that are being sent, and how they end. */
static void (*overs[1000])(void *arg);
static void *args[1000];
static size_t sending;

static int reply_and_wait(reeve_request *request, int status, const char *type, uint64_t length,
                          int (*more)(reeve_request *, void *), void (*over)(void *), void *arg)
{
    (void)request, (void)status, (void)type, (void)length, (void)more;
    ck_assert_uint_lt(sending, 1000);
    overs[sending] = over;
    args[sending++] = arg;
    return 0;
}

static void *endless_alloc(reeve_request *request, size_t size)
{
    (void)request;
    return malloc(size);
}

/* Many slow readers do not add up: what is above the bound is sent as it is. */
START_TEST(gzip_at_once_is_bounded)
{
    static const struct reeve_http_api waiting = {
        .method = get_method, .header = get_header, .set_header = set_header,
        .reply_stream = reply_and_wait, .alloc = endless_alloc};
    memset(&r, 0, sizeof r);
    r.public.api = &waiting;
    r.method = "GET";
    r.asked[0] = "Accept-Encoding";
    r.asked[1] = "gzip";
    while (gzip_wanted(&packing.gzip, &r.public, 70000)) {
        const struct file file = text_file(70000);
        ck_assert_int_eq(gzip_send(&packing.gzip, &r.public, &file), 0);
    }
    ck_assert_uint_eq(sending, 256);
    ck_assert(gzip_wanted(&packing.gzip, &r.public, 65536)); /* that is not held while it is sent */
    for (; sending > 0; sending--) {
        overs[sending - 1](args[sending - 1]);
        free(args[sending - 1]);
        ck_assert(gzip_wanted(&packing.gzip, &r.public, 70000));
    }
}
END_TEST

UNIT_MAIN("static-file", ONCE(small_ones_are_read), ONCE(cold_ones_are_not_read),
          ONCE(a_shorter_file_keeps_its_length),
          EACH(short_memory_gives_no_half_answer, answers), ONCE(gzip_of_every_window),
          ONCE(gzip_is_not_for_all), ONCE(gzip_head_is_as_get),
          ONCE(gzip_of_a_file_that_shrank), ONCE(gzip_without_memory_gives_no_half_answer),
          ONCE(gzip_at_once_is_bounded))
