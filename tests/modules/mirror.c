/* mirror: a handler that answers with all that it was asked. */
#include "mirror.h"

static const reeve_handler mirror = {.protocol = "http", .handle = mirror_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "mirror", .version = "1.0", .handler = &mirror);
