/* A handler that answers with all that it was asked. A header, since tests/unit compiles it in and
 * tests/modules/mirror.c makes a module of it. */
#ifndef TESTS_MIRROR_H
#define TESTS_MIRROR_H
#include <stdio.h>
#include <string.h>

#include "reeve/http.h"

static int mirror_handle(reeve_request *request, void *config)
{
    (void)config;
    char text[8192];
    size_t length;
    const char *body = reeve_body(request, &length), *host = reeve_header(request, "Host"),
               *x = reeve_header(request, "X-Test");
    int n = snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%s\n%s\n", reeve_method(request),
                     reeve_target(request), reeve_path(request), reeve_query(request),
                     host != NULL ? host : "(none)", x != NULL ? x : "(none)");
    if (n < 0 || (size_t)n + length > sizeof text)
        return reeve_reply_status(request, 500);
    memcpy(text + n, body, length);
    return reeve_reply(request, 200, "text/plain", text, (size_t)n + length);
}
#endif
