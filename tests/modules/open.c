/* open: a handler that opens, for reading or to write, whatever file its query names, and says how
 * that went; asked for "m" it eats memory. For scenarios that prove what a worker may open. Built
 * twice: "open-named" says that it names its files, "open-any" says nothing of that. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reeve/http.h"

static int open_configure(const reeve_section *section, const char *route, void **config)
{
    const char *reads = reeve_conf_string(section, "reads");
    const char *writes = reeve_conf_string(section, "writes");

    (void)route;
    *config = NULL;
#ifdef CONFINED
    if (*reads)
        reeve_opens(reads, REEVE_OPENS_TO_READ);
    if (*writes)
        reeve_opens(writes, REEVE_OPENS_TO_WRITE);
#else
    (void)reads, (void)writes;
#endif
    return 0;
}

/* Until the kernel ends it. */
static void eat(void)
{
    for (char *piece; (piece = malloc(1 << 20));)
        memset(piece, 1, 1 << 20);
    abort();
}

static int open_handle(reeve_request *request, void *config)
{
    const char *query = reeve_query(request);
    const char *path = query && *query ? query + 1 : "/";
    int flags = query && *query == 'w' ? O_WRONLY | O_CREAT : O_RDONLY;
    if (query && *query == 'm')
        eat();
    int fd = open(path, flags | O_CLOEXEC, 0600);
    const char *how = fd >= 0 ? "opened" : errno == EACCES ? "EACCES" : strerror(errno);

    (void)config;
    if (fd >= 0)
        close(fd);
    return reeve_reply(request, 200, "text/plain", how, strlen(how));
}

static const reeve_option open_options[] = {
    {.name = "reads", .type = REEVE_OPT_PATH, .help = "Named to be read."},
    {.name = "writes", .type = REEVE_OPT_PATH, .help = "Named to be written."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler open_handler = {
    .protocol = "http", .blocking = true, .configure = open_configure, .handle = open_handle};

#ifdef CONFINED
REEVE_CONFINED;
#endif
REEVE_MODULE(.kind = REEVE_HANDLER, .name = NAME, .version = "1.0", .options = open_options,
             .handler = &open_handler);
