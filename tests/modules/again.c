/* again: a handler that asks to be asked again in the pool, for scenarios. It answers "loop" if its
 * second call ran in a thread in which first calls do, else "pool"; a stream has that in a trailer
 * field too, of its last piece.
 *
 *     ?hints=1    says Early Hints first
 *     ?wait=1     the second call logs "again-waits" and waits for a byte in the pipe `gate`
 *     ?stream=1   the answer is a stream
 *     ?twice=1    the second call asks for a third, and returns what it is told
 *     ?wrong=1    the first call replies although it is to be asked again
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "reeve/http.h"

static _Thread_local bool is_loop;

static const char *where(void)
{
    return is_loop ? "loop" : "pool";
}

static bool asks(reeve_request *request, const char *name)
{
    return reeve_query_value(request, name) != NULL;
}

/* `arg`: was there a piece already? */
static int more(reeve_request *request, void *arg)
{
    bool *written = arg;
    if (*written)
        return reeve_set_trailer(request, "X-Where", where());
    *written = true;
    return reeve_write(request, where(), 4) == 0 ? 1 : -1;
}

static int stream(reeve_request *request)
{
    bool *written = reeve_alloc(request, sizeof *written);
    if (written == NULL)
        return -1;
    *written = false;
    return reeve_reply_stream(request, 200, NULL, REEVE_UNKNOWN_LENGTH, more, NULL, written);
}

static int wait_for(const char *gate)
{
    char byte;
    int fd = open(gate, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    reeve_log(REEVE_LOG_NOTICE, "again-waits", "for a byte in %s", gate);
    ssize_t n = read(fd, &byte, 1);
    close(fd);
    return n == 1 ? 0 : -1;
}

static int first(reeve_request *request)
{
    is_loop = true;
    if (asks(request, "hints") &&
        (reeve_set_header(request, "Link", "</style.css>; rel=preload") != 0 ||
         reeve_interim(request, 103) != 0))
        return -1;
    reeve_set_header(request, "X-First", "this is forgotten");
    int result = reeve_again(request);
    return asks(request, "wrong") ? reeve_reply(request, 200, NULL, "wrong", 5) : result;
}

static int again_handle(reeve_request *request, void *config)
{
    if (!reeve_may_wait(request))
        return first(request);
    if (asks(request, "twice"))
        return reeve_again(request);
    if (asks(request, "wait") && wait_for(config) != 0)
        return -1;
    return asks(request, "stream") ? stream(request) : reeve_reply(request, 200, NULL, where(), 4);
}

static int again_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    *config = (void *)reeve_conf_string(section, "gate");
    return 0;
}

static const reeve_option again_options[] = {
    {.name = "gate", .type = REEVE_OPT_PATH, .help = "A named pipe."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler again_handler = {
    .protocol = "http", .configure = again_configure, .handle = again_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "again", .version = "1.0", .options = again_options,
             .handler = &again_handler);
