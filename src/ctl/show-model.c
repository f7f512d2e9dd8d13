/* The model of the serving generation in a sentence, so that one can compare it with ps -L:
 *
 *     event: 2 workers of 18 threads each: 1 loop of many connections, 16 in the pool (shared
 *     queue), 1 for control; waits by epoll
 *
 * reevectl, one thread. */
#include "config.h"

#include <string.h>

#include "ctl/show.h"
#include "ctl/talk.h"

#define MANY 65536 /* connections of a loop that nobody needs to count */

static void put_counted(struct buf *out, int64_t n, const char *one)
{
    buf_printf(out, "%lld %s%s", (long long)n, one, n == 1 ? "" : "s");
}

static void put_workers(struct buf *out, const json_t *numbers)
{
    int64_t workers = json_int(numbers, "workers");

    put_counted(out, workers, "worker");
    buf_adds(out, " of ");
    put_counted(out, json_int(numbers, "loops") + json_int(numbers, "threads") +
                json_int(numbers, "control"), "thread");
    buf_adds(out, workers == 1 ? ": " : " each: ");
}

static void put_loops(struct buf *out, const json_t *numbers)
{
    int64_t connections = json_int(numbers, "connections");

    put_counted(out, json_int(numbers, "loops"), "loop");
    if (*json_text(numbers, "each")) {
        buf_adds(out, json_int(numbers, "loops") == 1 ? " that accepts" : " that accept");
    } else if (connections >= MANY) {
        buf_adds(out, " of many connections");
    } else {
        buf_adds(out, " of ");
        put_counted(out, connections, "connection");
    }
}

/* The other threads, and what is made for each connection. */
static void put_others(struct buf *out, const json_t *numbers)
{
    const char *each = json_text(numbers, "each");

    if (json_int(numbers, "threads") > 0) {
        buf_printf(out, ", %lld in the pool (", (long long)json_int(numbers, "threads"));
        show_text(out, json_text(numbers, "queue"));
        buf_adds(out, strcmp(json_text(numbers, "queue"), "shared") == 0 ? " queue)" : " queues)");
    }
    if (json_int(numbers, "control") > 0)
        buf_printf(out, ", %lld for control", (long long)json_int(numbers, "control"));
    if (*each) {
        buf_adds(out, "; one more ");
        show_text(out, each);
        buf_printf(out, " for each connection, at most %lld a worker",
                   (long long)json_int(numbers, "each_limit"));
    }
}

void show_model(const json_t *data, struct buf *out)
{
    const json_t *numbers = json_object_get(data, "numbers");

    show_text(out, json_text(data, "model"));
    buf_adds(out, ": ");
    put_workers(out, numbers);
    put_loops(out, numbers);
    put_others(out, numbers);
    buf_adds(out, "; waits by ");
    show_text(out, json_text(numbers, "wait"));
}
