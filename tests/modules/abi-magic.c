/* For tests/unit/test-loader.c: a module with another magic. */
#include "reeve/protocol.h"

static reeve_verdict step(reeve_conn *conn)
{
    (void)conn;
    return REEVE_CLOSE;
}

static const reeve_protocol protocol = {.step = step};

extern REEVE_API const reeve_module reeve_module_descriptor;
const reeve_module reeve_module_descriptor = {
    0x12345678, REEVE_API_MAJOR, REEVE_API_MINOR, sizeof(reeve_module),
    .kind = REEVE_PROTOCOL, .name = "abi-magic", .version = "1", .protocol = &protocol};
