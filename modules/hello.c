/* hello: answers every request with one text. The teaching example of an HTTP handler. */
#include <string.h>

#include "reeve/http.h"

static int hello_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)reeve_conf_string(section, "text"); /* lives as long as the worker */
    return 0;
}

static int hello_handle(reeve_request *request, void *config)
{
    const char *text = config;
    return reeve_reply(request, 200, "text/plain; charset=utf-8", text, strlen(text));
}

static const reeve_option hello_options[] = {
    {.name = "text", .type = REEVE_OPT_STRING, .fallback = "hello\n", .help = "What to answer."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler hello = {
    .protocol = "http", .configure = hello_configure, .handle = hello_handle};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_HANDLER, .name = "hello", .version = "1.0", .options = hello_options,
             .handler = &hello);
