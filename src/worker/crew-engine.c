/* The engine of a crew: what its loops are given, and what they call; see crew.h.
 *
 * Worker. It is filled by the main thread before any loop is made; what stands here otherwise runs
 * in the loops' threads, crew_become_child() in the process that was forked. Memory: the crew's;
 * the listeners' descriptors are those of the handover. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/core.h"
#include "module/loader.h"
#include "worker/child.h"
#include "worker/children.h"
#include "worker/crew-private.h"
#include "worker/handover.h"
#include "worker/logfile.h"
#include "worker/orders.h"
#include "worker/pool.h"
#include "worker/threads.h"

#define HIGH_WATER (256 * 1024)
#define LOW_WATER (64 * 1024)

static struct crew *the_crew; /* the callbacks carry no argument */

void crew_wake_main(void)
{
    uint64_t one = 1;
    ssize_t n = write(the_crew->orders->wake_fd, &one, sizeof(one));

    (void)n; /* full means that a wake-up is pending already */
}

static void on_quiet(struct loop *loop)
{
    (void)loop;
    crew_wake_main();
}

static int submit(struct job *job)
{
    return pool_submit(the_crew->pool, job);
}

static bool turn_end(int events)
{
    bool held = logfile_turn_end(events);

    if (the_crew->pool)
        pool_turn_end(the_crew->pool);
    return held;
}

static int launch_thread(struct loop *loop, const struct accepted *accepted)
{
    return threads_launch(the_crew->threads, loop, accepted);
}

static int launch_process(struct loop *loop, const struct accepted *accepted)
{
    return children_fork(the_crew->children, loop, accepted);
}

void crew_become_child(const struct accepted *accepted, unsigned record, int channel)
{
    child_main(the_crew, accepted, record, channel);
}

void crew_on_crash(pid_t pid, const char *sentence)
{
    orders_crashed(the_crew->orders, (int)pid, sentence);
}

int crew_thread_init(void)
{
    return modules_thread_init(the_crew->modules);
}

void crew_thread_exit(void)
{
    modules_thread_exit(the_crew->modules);
    logfile_thread_end();
}

/* Older ones end before these two. */
static bool can_pack(const reeve_module *module)
{
    return module->api_minor >= 3 && module->protocol->pack && module->protocol->unpack;
}

/* What the loops call. */
static void set_ways(struct engine *engine, const struct model *model)
{
    engine->turn_end = turn_end;
    engine->loop_quiet = on_quiet;
    switch (model->each) {
    case EACH_NONE:
        engine->submit = model->pool ? submit : NULL;
        engine->in_memory = model->pool ? ahead_in_memory : NULL;
        break;
    case EACH_THREAD:
        engine->launch = launch_thread;
        break;
    case EACH_PROCESS:
        engine->launch = launch_process;
        break;
    }
}

/* False after a line. */
static bool add_listener(struct crew *crew, const struct core_listen *listen, struct buf *error)
{
    struct handed_listener *handed = handover_listener(crew->handover, listen->title);
    struct listener *listener = &crew->engine.listeners[crew->engine.listener_count++];
    const reeve_module *module = modules_find(crew->modules, REEVE_PROTOCOL, listen->protocol);

    if (!handed) {
        buf_printf(error, "listen \"%s\": the master has not handed over this socket\n",
                   listen->title);
        return false;
    }
    listener->fd = handed->fd;
    unsent_bound(listener->fd);
    listener->address = listen->title;
    listener->protocol_name = listen->protocol;
    listener->protocol = module->protocol;
    listener->knows_late = module->api_minor >= 3;
    if (handed->passage.give >= 0 && can_pack(module))
        listener->passage = &handed->passage;
    return true;
}

bool crew_engine_fill(struct crew *crew, struct buf *error)
{
    struct engine *engine = &crew->engine;
    const struct core *core = crew->core;

    the_crew = crew;
    set_ways(engine, &core->model);
    engine->listeners = calloc(core->listen_count + 1, sizeof(struct listener));
    engine->board = &crew->handover->board;
    engine->send_timeout = core->send_timeout;
    engine->send_rate = core->send_rate;
    engine->drain_linger = core->drain_linger;
    engine->client_limit = core->client_limit;
    engine->exempt = core->exempt;
    engine->exempt_count = core->exempt_count;
    engine->high_water = HIGH_WATER;
    engine->low_water = LOW_WATER;
    if (!engine->listeners || engine_init(engine) < 0) {
        buf_printf(error, "no memory for %zu listeners\n", core->listen_count);
        return false;
    }
    for (size_t i = 0; i < core->listen_count; i++)
        if (!add_listener(crew, &core->listens[i], error))
            return false;
    return true;
}
