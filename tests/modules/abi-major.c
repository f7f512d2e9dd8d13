/* For tests/unit/test-loader.c: a module for another major interface. */
#include "reeve/protocol.h"

static reeve_verdict step(reeve_conn *conn)
{
    (void)conn;
    return REEVE_CLOSE;
}

static const reeve_protocol protocol = {.step = step};

extern REEVE_API const reeve_module reeve_module_descriptor;
const reeve_module reeve_module_descriptor = {
    REEVE_MAGIC, REEVE_API_MAJOR + 1, REEVE_API_MINOR, sizeof(reeve_module),
    .kind = REEVE_PROTOCOL, .name = "abi-major", .version = "1", .protocol = &protocol};
