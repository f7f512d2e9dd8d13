/* halt: a handler that stops its process by SIGSTOP and crashes when that is let go on, so that the
 * chaos driver can look at what the process held at that moment. */
#include <signal.h>

#include "reeve/http.h"

/* A sanitizer would tell first. */
__attribute__((no_sanitize("undefined"))) static void halt_crash(void)
{
    *(volatile int *)NULL = 1;
}

static int halt_handle(reeve_request *request, void *config)
{
    (void)config;
    raise(SIGSTOP); /* this thread: it does not come further */
    halt_crash();
    return reeve_reply_status(request, 500);
}

static const reeve_handler halt = {.protocol = "http", .handle = halt_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "halt", .version = "1.0", .handler = &halt);
