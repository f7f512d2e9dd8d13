/* For tests/unit/test-loader.c: a module as it should be, which counts the calls of its hooks. */
#include "reeve/protocol.h"

REEVE_API int abi_good_calls[5]; /* configure, worker_init, thread_init, thread_exit, worker_exit */

static const reeve_option options[] = {
    {"mood", REEVE_OPT_ENUM, "fair", 0, 0, "fair|foul|silent", 0, "What configure answers."},
    {.type = REEVE_OPT_END},
};

static int configure(const reeve_section *section)
{
    (void)section;
    abi_good_calls[0]++;
    return 0;
}

static reeve_verdict step(reeve_conn *conn)
{
    (void)conn;
    return REEVE_CLOSE;
}

static int worker_init(void)
{
    return abi_good_calls[1]++ ? -1 : 0; /* the second time it refuses */
}

static int thread_init(void)
{
    return abi_good_calls[2]++ ? -1 : 0;
}

static void thread_exit(void)
{
    abi_good_calls[3]++;
}

static void worker_exit(void)
{
    abi_good_calls[4]++;
}

static const reeve_protocol protocol = {.configure = configure, .step = step};

REEVE_MODULE(.kind = REEVE_PROTOCOL, .name = "abi-good", .version = "1.2", .options = options,
             .protocol = &protocol, .worker_init = worker_init, .thread_init = thread_init,
             .thread_exit = thread_exit, .worker_exit = worker_exit);
