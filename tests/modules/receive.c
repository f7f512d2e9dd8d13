/* receive: takes uploads piece by piece into a temporary file, for scenarios. Built twice:
 * "receive" runs in the loop, "poolreceive" (with RECEIVE_BLOCKING) in the pool. The body must be
 * "abc...z" again and again; each byte is looked at. Answers how many bytes came, how many of them
 * were wrong and by how many KiB the memory of the process has grown since the head came.
 *
 *     ?limit=N     413 as soon as it is known that more than N bytes will come or have come
 *     give_up=N    -1 when N bytes have come
 *     pause=N      waits so many milliseconds with each piece
 *     back=1       answers with the file
 *
 * Memory: the state of an upload lies in the request's; the file is removed when that is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "reeve/http.h"

#ifdef RECEIVE_BLOCKING
#define NAME "poolreceive"
#define BLOCKING true
#else
#define NAME "receive"
#define BLOCKING false
#endif

struct upload {
    int fd;
    long peak; /* KiB of memory when the head came */
    unsigned long long length, wrong, limit, give_up, pause;
    char path[4096];
};

static unsigned long long number(reeve_request *request, const char *name,
                                 unsigned long long fallback)
{
    const char *text = reeve_query_value(request, name);
    return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

static long memory_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static void upload_over(void *pointer)
{
    struct upload *upload = pointer;
    close(upload->fd);
    unlink(upload->path);
}

/* The head has come. */
static int upload_begin(reeve_request *request, const char *folder)
{
    struct upload *upload = reeve_alloc(request, sizeof *upload);
    const char *length = reeve_header(request, "content-length");
    if (upload == NULL)
        return reeve_reply_status(request, 503);
    memset(upload, 0, sizeof *upload);
    upload->limit = number(request, "limit", -1ULL);
    upload->give_up = number(request, "give_up", -1ULL);
    upload->pause = number(request, "pause", 0);
    upload->peak = memory_peak();
    if (length != NULL && strtoull(length, NULL, 10) > upload->limit)
        return reeve_reply_status(request, 413);
    snprintf(upload->path, sizeof upload->path, "%s/upload-XXXXXX", folder);
    upload->fd = mkstemp(upload->path);
    if (upload->fd < 0)
        return reeve_reply_status(request, 507);
    return reeve_keep(request, upload, upload_over);
}

static int receive_piece(reeve_request *request, void *config, const void *data, size_t length)
{
    struct upload *upload = reeve_kept(request);
    const char *bytes = data;
    if (data == NULL)
        return upload_begin(request, config);
    if (upload->pause > 0)
        nanosleep(&(struct timespec){(time_t)(upload->pause / 1000),
                                     (long)(upload->pause % 1000) * 1000000}, NULL);
    if (upload->length + length > upload->limit)
        return reeve_reply_status(request, 413);
    if (upload->length + length >= upload->give_up)
        return -1;
    for (size_t i = 0; i < length; i++)
        upload->wrong += bytes[i] != (char)('a' + (upload->length + i) % 26);
    upload->length += length;
    if (write(upload->fd, data, length) != (ssize_t)length)
        return reeve_reply_status(request, 507);
    return 0;
}

static int receive_handle(reeve_request *request, void *config)
{
    const struct upload *upload = reeve_kept(request);
    char text[100];
    (void)config;
    if (upload == NULL)
        return reeve_reply(request, 200, "text/plain", "no body\n", 8);
    if (number(request, "back", 0))
        return reeve_reply_file(request, 200, "text/plain", dup(upload->fd), 0,
                                (size_t)upload->length);
    int n = snprintf(text, sizeof text, "%llu bytes, %llu wrong, %ld KiB\n", upload->length,
                     upload->wrong, memory_peak() - upload->peak);
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

static int receive_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)reeve_conf_string(section, "folder");
    return 0;
}

static const reeve_option options[] = {
    {.name = "folder", .type = REEVE_OPT_PATH, .help = "Where the files lie meanwhile."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler receive_handler = {
    .protocol = "http", .blocking = BLOCKING, .configure = receive_configure,
    .handle = receive_handle, .receive = receive_piece};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = NAME, .version = "1.0", .options = options,
             .handler = &receive_handler);
