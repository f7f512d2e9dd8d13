/* grow: a handler that keeps `step` bytes more of memory with each request. For scenarios in which
 * a worker is replaced since it has grown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reeve/http.h"

static int grow_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)(intptr_t)reeve_conf_int(section, "step");
    return 0;
}

static int grow_handle(reeve_request *request, void *config)
{
    static void *_Atomic kept; /* reachable, so that no leak is seen where none is meant */
    size_t step = (size_t)(intptr_t)config;
    void **more = malloc(step);

    if (!more)
        return reeve_reply(request, 503, "text/plain", "no memory\n", 10);
    memset(more, 1, step);
    *more = kept;
    kept = more;
    return reeve_reply(request, 200, "text/plain", "grown\n", 6);
}

static const reeve_option grow_options[] = {
    {.name = "step", .type = REEVE_OPT_SIZE, .fallback = "1MiB", .min = 16, .max = 1 << 30,
     .help = "Memory that each request keeps."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler grow_handler = {
    .protocol = "http", .configure = grow_configure, .handle = grow_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "grow", .version = "1.0", .options = grow_options,
             .handler = &grow_handler);
