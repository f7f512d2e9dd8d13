/* sleep: a handler that blocks its thread for `delay`, then answers. For scenarios that prove that
 * a blocking handler delays nobody else. */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "reeve/http.h"

static int sleep_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)(intptr_t)reeve_conf_int(section, "delay");
    return 0;
}

static int sleep_handle(reeve_request *request, void *config)
{
    int64_t ms = (intptr_t)config;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
    return reeve_reply(request, 200, "text/plain", "slept\n", 6);
}

static const reeve_option sleep_options[] = {
    {.name = "delay", .type = REEVE_OPT_DURATION, .fallback = "1s", .max = 3600000,
     .help = "How long the handler blocks its thread."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler sleep_handler = {
    .protocol = "http", .blocking = true, .configure = sleep_configure, .handle = sleep_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "sleep", .version = "1.0", .options = sleep_options,
             .handler = &sleep_handler);
