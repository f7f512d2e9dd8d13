/* burn: a handler that keeps a CPU busy for `time`, then answers. For the benchmark: work that no
 * number of threads makes faster. */
#include <stdint.h>
#include <time.h>

#include "reeve/http.h"

static int burn_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)(intptr_t)reeve_conf_int(section, "time");
    return 0;
}

static int64_t used_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

static int burn_handle(reeve_request *request, void *config)
{
    int64_t until = used_ns() + (intptr_t)config * 1000000;

    while (used_ns() < until)
        continue;
    return reeve_reply(request, 200, "text/plain", "burnt\n", 6);
}

static const reeve_option burn_options[] = {
    {.name = "time", .type = REEVE_OPT_DURATION, .fallback = "1ms", .max = 3600000,
     .help = "How much CPU time the handler uses."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler burn_handler = {
    .protocol = "http", .blocking = true, .configure = burn_configure, .handle = burn_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "burn", .version = "1.0", .options = burn_options,
             .handler = &burn_handler);
