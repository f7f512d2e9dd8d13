/* For tests/unit/test-loader.c: a module that needs a function which no reeved has. */
#include "reeve/protocol.h"

extern int reeve_of_the_future(void);

static reeve_verdict step(reeve_conn *conn)
{
    (void)conn;
    return reeve_of_the_future() ? REEVE_CLOSE : REEVE_ERROR;
}

static const reeve_protocol protocol = {.step = step};

REEVE_MODULE(.kind = REEVE_PROTOCOL, .name = "abi-undefined", .version = "1",
             .protocol = &protocol);
