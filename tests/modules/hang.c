/* hang: a handler that does not return, or not before the file `until` is there, then answers. For
 * scenarios that prove that such a one costs its own request only. With `inline` it runs in the
 * loop. Where the environment names a file by HANG_LOAD, it is not loaded before that is there. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reeve/http.h"

struct settings {
    const char *how, *until;
    bool inside;
};

#define ROUTES 32

static int hang_configure(const reeve_section *section, const char *route, void **config)
{
    static struct settings all[ROUTES]; /* a thread that is lost may read it until the very end */
    static unsigned count;
    struct settings *settings = &all[count++ % ROUTES];
    (void)route;
    settings->how = reeve_conf_string(section, "how");
    settings->until = reeve_conf_string(section, "until");
    settings->inside = reeve_conf_bool(section, "inline");
    *config = settings;
    return 0;
}

static volatile unsigned long turns;

__attribute__((noinline)) static void hang_spin(const char *until)
{
    for (;;) {
        for (int i = 0; i < 1000000; i++)
            turns++;
#ifdef __SANITIZE_THREAD__
        time(NULL); /* it delivers signals only in calls that it knows */
#endif
        if (*until != '\0' && access(until, F_OK) == 0)
            return;
    }
}

__attribute__((noinline)) static void hang_wait(const char *until)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    while (*until == '\0' || access(until, F_OK) != 0)
        nanosleep(&moment, NULL);
}

__attribute__((constructor)) static void hang_load(void)
{
    const char *until = getenv("HANG_LOAD");
    if (until != NULL)
        hang_wait(until);
}

static int hang_handle(reeve_request *request, void *config)
{
    const struct settings *settings = config;
    if (!settings->inside && !reeve_may_wait(request))
        return reeve_again(request);
    reeve_set_header(request, "X-Hang", "over");
    if (strcmp(settings->how, "spin") == 0)
        hang_spin(settings->until);
    else if (strcmp(settings->how, "pause") == 0)
        for (;;)
            pause();
    else
        hang_wait(settings->until);
    return reeve_reply(request, 200, "text/plain", "over\n", 5);
}

static const reeve_option hang_options[] = {
    {.name = "how", .type = REEVE_OPT_ENUM, .fallback = "wait", .choices = "wait|spin|pause",
     .help = "What it does meanwhile."},
    {.name = "until", .type = REEVE_OPT_PATH, .fallback = "",
     .help = "The file; empty: it never returns."},
    {.name = "inline", .type = REEVE_OPT_BOOL, .fallback = "off", .help = "In the loop."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler hang_handler = {
    .protocol = "http", .configure = hang_configure, .handle = hang_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "hang", .version = "1.0", .options = hang_options,
             .handler = &hang_handler);
