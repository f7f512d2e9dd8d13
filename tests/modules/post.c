/* post: a handler that answers how many bytes the body had. */
#include <stdio.h>

#include "reeve/http.h"

static int post_handle(reeve_request *request, void *config)
{
    (void)config;
    size_t length;
    reeve_body(request, &length);
    char text[32];
    int n = snprintf(text, sizeof text, "%zu\n", length);
    return reeve_reply(request, 200, "text/plain", text, (size_t)n);
}

static const reeve_handler post = {.protocol = "http", .handle = post_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "post", .version = "1.0", .handler = &post);
