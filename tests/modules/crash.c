/* crash: a handler that ends its worker, in one of many ways, or does not let it begin. For
 * scenarios of supervision. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "reeve/http.h"

struct ways {
    const char *how;
    bool asked; /* only if the query says so: "x=1" */
    bool pool;  /* in a thread of the pool, if there is one */
};

static volatile bool endless = true;

static void crash_overflow(void)
{
    volatile char here[4096];

    here[0] = 1;
    if (endless)
        crash_overflow();
    here[1] = here[0]; /* no tail call */
}

/* A sanitizer would tell first. */
__attribute__((no_sanitize("undefined"))) static void crash_null(void)
{
    *(volatile int *)NULL = 1;
}

static void *crash_at_once(void *barrier)
{
    pthread_barrier_wait(barrier);
    crash_null();
    return NULL;
}

/* Several threads at the same time. */
static void crash_together(void)
{
    pthread_barrier_t barrier;
    pthread_t threads[4];

    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, crash_at_once, &barrier);
    crash_at_once(&barrier);
}

/* The pointers by which a crash is told lead nowhere; and so does the stack. */
static void crash_corrupt(reeve_request *request)
{
    memset((char *)request + sizeof(void *), 0x58, 256);
    crash_null();
}

static int crash_configure(const reeve_section *section, const char *route, void **config)
{
    static struct ways all[16];
    static int count;
    struct ways *ways = &all[count++ % 16];

    (void)route;
    *ways = (struct ways){reeve_conf_string(section, "how"), reeve_conf_bool(section, "asked"),
                           reeve_conf_bool(section, "pool")};
    *config = ways;
    if (strcmp(ways->how, "configure") == 0)
        abort();
    return 0;
}

static int crash_handle(reeve_request *request, void *config)
{
    const struct ways *ways = config;
    void (*volatile nowhere)(void) = NULL;

    if (ways->asked && strcmp(reeve_query(request), "x=1") != 0)
        return reeve_reply(request, 200, "text/plain", "alive\n", 6);
    if (ways->pool && !reeve_may_wait(request))
        return reeve_again(request);
    if (strcmp(ways->how, "abort") == 0)
        abort();
    else if (strcmp(ways->how, "exit") == 0)
        exit(7);
    else if (strcmp(ways->how, "overflow") == 0)
        crash_overflow();
    else if (strcmp(ways->how, "together") == 0)
        crash_together();
    else if (strcmp(ways->how, "corrupt") == 0)
        crash_corrupt(request);
    else if (strcmp(ways->how, "jump") == 0)
        nowhere();
    else
        crash_null();
    return reeve_reply_status(request, 500);
}

static const reeve_option crash_options[] = {
    {.name = "how", .type = REEVE_OPT_ENUM,
     .choices = "null|abort|exit|configure|overflow|together|corrupt|jump", .fallback = "null",
     .help = "By a NULL pointer, abort(), or that while it is configured, and so on."},
    {.name = "asked", .type = REEVE_OPT_BOOL, .fallback = "false",
     .help = "Only for requests with the query x=1."},
    {.name = "pool", .type = REEVE_OPT_BOOL, .fallback = "false", .help = "Where it may wait."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler crash = {
    .protocol = "http", .configure = crash_configure, .handle = crash_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "crash", .version = "1.0", .options = crash_options,
             .handler = &crash);
