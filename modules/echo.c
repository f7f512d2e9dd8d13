/* echo: sends back what it gets (RFC 862). The teaching example of a protocol module.
 *
 * A protocol is a step function. It looks at the input, takes what it can use, queues output, and
 * says what it waits for. It never reads, writes or waits itself, so it runs under every model.
 *
 *     cc $(pkg-config --cflags reeve) -shared -fPIC echo.c -o echo.so
 */
#include "reeve/protocol.h"

/* Written once by configure(), before any connection is there; only read afterwards. */
static int64_t idle_timeout;

static int echo_configure(const reeve_section *section)
{
    idle_timeout = reeve_conf_int(section, "idle_timeout");
    return 0; /* or: return reeve_conf_error(section, "idle_timeout", "..."); */
}

static reeve_verdict echo_step(reeve_conn *conn)
{
    if (reeve_congested(conn)) /* the client sends, but does not read: wait for it */
        return REEVE_WANT_WRITE;

    size_t length;
    const char *data = reeve_input(conn, &length);
    if (reeve_send(conn, data, length) != 0) /* memory is short */
        return REEVE_ERROR;
    reeve_consume(conn, length);

    if (reeve_at_end(conn)) /* what is queued is sent first */
        return REEVE_CLOSE;
    reeve_deadline(conn, idle_timeout);
    return REEVE_WANT_READ;
}

static const reeve_option echo_options[] = {
    {.name = "idle_timeout", .type = REEVE_OPT_DURATION, .fallback = "5m", .max = 86400000,
     .help = "A connection on which nothing comes for so long is closed. 0: never."},
    {.type = REEVE_OPT_END},
};

static const reeve_protocol echo = {
    .configure = echo_configure,
    .open = echo_step, /* nothing to read yet, but the deadline is to be set */
    .step = echo_step,
};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_PROTOCOL, .name = "echo", .version = "1.0", .options = echo_options,
             .protocol = &echo);
