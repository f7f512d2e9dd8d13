/* The crew; see crew.h.
 *
 * Worker, main thread; the callbacks at the top run in the loops' threads. The main thread owns
 * the crew; loops and pool threads only read it. A crew has `loops` loop threads and, when the
 * model has a pool, `threads` pool threads; records on the board: loops first, then the pool.
 * Where each connection gets a thread or a process, the one loop only accepts; with processes it
 * runs in the main thread, so that the worker can fork. */
#include "config.h"

#include "worker/crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/core.h"
#include "module/loader.h"
#include "worker/child.h"
#include "worker/children.h"
#include "worker/crew-private.h"
#include "worker/handover.h"
#include "worker/logfile.h"
#include "worker/orders.h"
#include "worker/pool.h"
#include "worker/starter.h"
#include "worker/threads.h"
#include "worker/watch.h"
#include "worker/words.h"

#define HIGH_WATER (256 * 1024)
#define LOW_WATER (64 * 1024)

static struct crew *the_crew; /* the callbacks carry no argument */

static void wake_main(void)
{
    uint64_t one = 1;
    ssize_t n = write(the_crew->orders->wake_fd, &one, sizeof(one));

    (void)n; /* full means that a wake-up is pending already */
}

static void on_quiet(struct loop *loop)
{
    (void)loop;
    wake_main();
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

static void become_child(const struct accepted *accepted, unsigned record, int channel)
{
    child_main(the_crew, accepted, record, channel);
}

static void on_crash(pid_t pid, const char *sentence)
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

static void *loop_thread(void *arg)
{
    struct crew_loop *self = arg;
    struct crew *crew = self->crew;
    struct words_stack stack = {0};
    bool ok;

    starter_name("loop", self->index);
    words_thread_begin(&stack, self->index);
    clock_refresh();
    ok = crew_thread_init() == 0;
    starter_report(&crew->starter, ok);
    if (ok) {
        loop_run(self->loop);
        crew_thread_exit();
    }
    words_thread_end(&stack);
    words_stack_free(&stack);
    atomic_fetch_add(&crew->ended, 1);
    wake_main();
    return NULL;
}

/* Older ones end before these two. */
static bool can_pack(const reeve_module *module)
{
    return module->api_minor >= 3 && module->protocol->pack && module->protocol->unpack;
}

static bool engine_fill(struct crew *crew, struct buf *error)
{
    struct engine *engine = &crew->engine;
    const struct core *core = crew->core;

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
    engine->turn_end = turn_end;
    engine->loop_quiet = on_quiet;
    if (!engine->listeners || engine_init(engine) < 0) {
        buf_printf(error, "no memory for %zu listeners\n", core->listen_count);
        return false;
    }
    for (size_t i = 0; i < core->listen_count; i++) {
        const struct core_listen *listen = &core->listens[i];
        struct handed_listener *handed = handover_listener(crew->handover, listen->title);
        struct listener *listener = &engine->listeners[engine->listener_count++];
        const reeve_module *module;

        if (!handed) {
            buf_printf(error, "listen \"%s\": the master has not handed over this socket\n",
                       listen->title);
            return false;
        }
        listener->fd = handed->fd;
        unsent_bound(listener->fd);
        listener->address = listen->title;
        listener->protocol_name = listen->protocol;
        module = modules_find(crew->modules, REEVE_PROTOCOL, listen->protocol);
        listener->protocol = module->protocol;
        listener->knows_late = module->api_minor >= 3;
        if (handed->passage.give >= 0 && can_pack(module))
            listener->passage = &handed->passage;
    }
    return true;
}

/* As many as may be lost at once, if there is room for them on the board. */
static int spare_threads(const struct crew *crew, const struct core *core)
{
    int room = BOARD_THREADS - crew->loop_count - core->threads;

    return core->handler_timeout == 0 ? 0 : core->threads < room ? core->threads : room;
}

static bool start_pool(struct crew *crew, const struct core *core, struct buf *error)
{
    struct pool_settings settings = {
        .threads = core->threads,
        .spares = spare_threads(crew, core),
        .queue_limit = core->queue_limit,
        .queue_time = core->queue_time,
        .queue_per_thread = core->queue_per_thread,
        .segment = crew->handover->board.own,
        .first_record = (unsigned)crew->loop_count,
        .thread_init = crew_thread_init,
        .thread_exit = crew_thread_exit,
        .job_end = logfile_flush,
    };

    crew->engine.submit = submit;
    crew->engine.in_memory = ahead_in_memory;
    crew->pool = pool_new(&settings);
    if (!crew->pool)
        buf_printf(error, "threads: %d pool threads cannot be started: %s\n", core->threads,
                   strerror(errno));
    return crew->pool != NULL;
}

/* What is made for each connection, or the pool. */
static bool start_helpers(struct crew *crew, const struct core *core, struct buf *error)
{
    struct board_segment *segment = crew->handover->board.own;
    struct threads_settings threads = {
        .engine = &crew->engine,
        .wait = core->model.wait,
        .segment = segment,
        .thread_init = crew_thread_init,
        .thread_exit = crew_thread_exit,
        .wake = wake_main,
    };
    struct children_settings children = {
        .most = core->max_each,
        .segment = segment,
        .orders_fd = crew->orders->fd,
        .become = become_child,
        .crashed = on_crash,
    };

    switch (core->model.each) {
    case EACH_NONE:
        return !core->model.pool || start_pool(crew, core, error);
    case EACH_THREAD:
        crew->engine.launch = launch_thread;
        crew->threads = threads_new(&threads);
        break;
    case EACH_PROCESS:
        crew->engine.launch = launch_process;
        crew->children = crew->orders->children = children_new(&children);
        break;
    }
    if (!crew->threads && !crew->children)
        buf_printf(error, "no memory for %d connections\n", core->max_each);
    return crew->threads || crew->children;
}

void crew_obey_now(void *arg)
{
    orders_obey(arg, false);
}

static struct loop *new_loop(struct crew *crew, int index)
{
    const struct model *model = &crew->core->model;
    struct loop_settings settings = {
        .engine = &crew->engine,
        .connections = model->each == EACH_NONE ? model->connections : crew->core->max_each,
        .wait = model->wait,
        .record = &crew->handover->board.own->thread[index],
    };

    if (crew->children) { /* no other thread could obey */
        settings.guest_ready = crew_obey_now;
        settings.guest_arg = crew->orders;
        settings.guest_fd = crew->orders->fd;
    }
    return loop_new(&settings);
}

static bool start_loops(struct crew *crew, struct buf *error)
{
    int count = 0, failure = 0;

    for (; count < crew->loop_count && !failure; count++) {
        struct crew_loop *self = &crew->loops[count];

        *self = (struct crew_loop){.crew = crew, .index = count, .seen_cpu = -1};
        self->loop = new_loop(crew, count);
        if (!self->loop)
            failure = errno;
        else if (!crew->children)
            failure = starter_thread(&self->thread, loop_thread, self);
    }
    if (!crew->children && !starter_wait(&crew->starter, count - (failure != 0)) && !failure)
        failure = ECANCELED;
    if (failure)
        buf_printf(error, "threads: %d serving threads cannot be started: %s\n", crew->loop_count,
                   strerror(failure));
    return failure == 0;
}

struct crew *crew_start(const struct core *core, const struct modules *modules,
                        struct handover *handover, struct orders *orders, struct buf *error)
{
    struct crew *crew = calloc(1, sizeof(*crew));
    int records = core->model.loops + (core->model.pool ? core->threads : 0);

    if (crew)
        crew->loops = calloc((size_t)core->model.loops, sizeof(*crew->loops));
    if (!crew || !crew->loops) {
        buf_adds(error, "no memory to start the threads\n");
        free(crew);
        return NULL;
    }
    the_crew = crew;
    crew->core = core;
    crew->modules = modules;
    crew->handover = handover;
    crew->orders = orders;
    crew->pid = getpid();
    crew->loop_count = core->model.loops;
    orders->crew = crew;
    starter_init(&crew->starter);
    board_set(&handover->board.own->threads, (uint32_t)records);
    if (!engine_fill(crew, error) || !start_helpers(crew, core, error) || !start_loops(crew, error))
        return NULL; /* the process ends: nothing is worth unwinding */
    watch_begin(crew);
    return crew;
}

static bool is_done(struct crew *crew)
{
    return atomic_load(&crew->ended) == crew->loop_count && children_count(crew->children) == 0 &&
           (!crew->threads || threads_are_done(crew->threads));
}

void crew_serve(struct crew *crew)
{
    if (crew->children) {
        loop_run(crew->loops[0].loop);
        atomic_fetch_add(&crew->ended, 1);
    }
    while (!is_done(crew))
        orders_obey(crew->orders, true);
}

void crew_end(struct crew **crew_of)
{
    struct crew *crew = *crew_of;

    for (int i = 0; i < crew->loop_count && !crew->children; i++)
        pthread_join(crew->loops[i].thread, NULL);
    threads_free(&crew->threads);
    children_free(&crew->children);
    pool_free(&crew->pool); /* before the loops: a thread may still be handing a job back */
    for (int i = 0; i < crew->loop_count; i++)
        loop_free(&crew->loops[i].loop);
    engine_free(&crew->engine);
    starter_end(&crew->starter);
    free(crew->engine.listeners);
    free(crew->loops);
    free(crew);
    *crew_of = NULL;
}
