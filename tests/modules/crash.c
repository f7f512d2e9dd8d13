/* crash: a handler that ends its worker, by a bad pointer or by abort(), or does not let it begin. For
 * scenarios of supervision. */
#include <stdlib.h>
#include <string.h>

#include "reeve/http.h"

static int crash_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)reeve_conf_string(section, "how");
    if (strcmp(*config, "configure") == 0)
        abort();
    return 0;
}

static int crash_handle(reeve_request *request, void *config)
{
    if (strcmp(config, "abort") == 0)
        abort();
    *(volatile int *)NULL = 1;
    return reeve_reply_status(request, 500);
}

static const reeve_option crash_options[] = {
    {.name = "how", .type = REEVE_OPT_ENUM, .choices = "null|abort|configure", .fallback = "null",
     .help = "By a NULL pointer or by abort(); or by abort() while it is configured."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler crash = {
    .protocol = "http", .configure = crash_configure, .handle = crash_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "crash", .version = "1.0", .options = crash_options,
             .handler = &crash);
