/* The crew; see crew.h.
 *
 * Worker, main thread; the callbacks at the top run in the loops' threads. The main thread owns the
 * crew; loops and pool threads only read it. A crew has `loops` loop threads and, when the model
 * has a pool, `threads` pool threads; records on the board: loops first, then the pool. */
#include "config.h"

#include "worker/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "conf/core.h"
#include "module/loader.h"
#include "worker/handover.h"
#include "worker/logfile.h"
#include "worker/pool.h"
#include "worker/starter.h"

#define HIGH_WATER (256 * 1024)
#define LOW_WATER (64 * 1024)

struct crew_loop {
    struct crew *crew;
    struct loop *loop;
    int index;
    pthread_t thread;
};

struct crew {
    struct engine engine;
    struct pool *pool;
    const struct modules *modules;
    struct starter starter;
    struct crew_loop *loops;
    int loop_count;
    atomic_int ended;
    int wake_fd;
};

static struct crew *the_crew; /* the engine's callbacks carry no argument */

static void wake_main(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t n = write(the_crew->wake_fd, &one, sizeof(one));

    (void)loop;
    (void)n; /* full means that a wake-up is pending already */
}

static int submit(struct job *job)
{
    return pool_submit(the_crew->pool, job);
}

static int thread_begin(void)
{
    return modules_thread_init(the_crew->modules);
}

static void thread_end(void)
{
    modules_thread_exit(the_crew->modules);
    logfile_thread_end();
}

static void *loop_thread(void *arg)
{
    struct crew_loop *self = arg;
    struct crew *crew = self->crew;
    bool ok;

    starter_name("loop", self->index);
    clock_refresh();
    ok = thread_begin() == 0;
    starter_report(&crew->starter, ok);
    if (ok) {
        loop_run(self->loop);
        thread_end();
    }
    atomic_fetch_add(&crew->ended, 1);
    wake_main(self->loop);
    return NULL;
}

static struct board_thread *record_of(const struct handover *handover, int index)
{
    return &handover->board.own->thread[index];
}

static bool engine_fill(struct crew *crew, const struct core *core, const struct modules *modules,
                        struct handover *handover, struct buf *error)
{
    struct engine *engine = &crew->engine;

    engine->listeners = calloc(core->listen_count + 1, sizeof(struct listener));
    engine->board = &handover->board;
    engine->send_timeout = core->send_timeout;
    engine->drain_linger = core->drain_linger;
    engine->high_water = HIGH_WATER;
    engine->low_water = LOW_WATER;
    engine->submit = core->model.pool ? submit : NULL;
    engine->turn_end = logfile_flush;
    engine->loop_quiet = wake_main;
    if (!engine->listeners || engine_init(engine) < 0) {
        buf_printf(error, "no memory for %zu listeners\n", core->listen_count);
        return false;
    }
    for (size_t i = 0; i < core->listen_count; i++) {
        const struct core_listen *listen = &core->listens[i];
        struct handed_listener *handed = handover_listener(handover, listen->title);
        struct listener *listener = &engine->listeners[engine->listener_count++];

        if (!handed) {
            buf_printf(error, "listen \"%s\": the master has not handed over this socket\n",
                       listen->title);
            return false;
        }
        listener->fd = handed->fd;
        listener->address = listen->title;
        listener->protocol_name = listen->protocol;
        listener->protocol = modules_find(modules, REEVE_PROTOCOL, listen->protocol)->protocol;
    }
    return true;
}

static bool start_pool(struct crew *crew, const struct core *core, const struct handover *handover,
                       struct buf *error)
{
    struct pool_settings settings = {
        .threads = core->threads,
        .queue_limit = core->queue_limit,
        .segment = handover->board.own,
        .first_record = (unsigned)crew->loop_count,
        .thread_init = thread_begin,
        .thread_exit = thread_end,
        .job_end = logfile_flush,
    };

    if (!core->model.pool)
        return true;
    crew->pool = pool_new(&settings);
    if (!crew->pool)
        buf_printf(error, "threads: %d pool threads cannot be started: %s\n", core->threads,
                   strerror(errno));
    return crew->pool != NULL;
}

static bool start_loops(struct crew *crew, const struct core *core, const struct handover *handover,
                        struct buf *error)
{
    int count = 0, failure = 0;

    starter_init(&crew->starter);
    for (; count < crew->loop_count && !failure; count++) {
        struct crew_loop *self = &crew->loops[count];
        struct loop_settings settings = {
            .engine = &crew->engine,
            .connections = core->model.connections,
            .wait = core->model.wait,
            .record = record_of(handover, count),
        };

        *self = (struct crew_loop){.crew = crew, .index = count};
        self->loop = loop_new(&settings);
        failure = self->loop ? starter_thread(&self->thread, loop_thread, self) : errno;
    }
    if (!starter_wait(&crew->starter, count - (failure != 0)) && !failure)
        failure = ECANCELED;
    if (failure)
        buf_printf(error, "threads: %d serving threads cannot be started: %s\n", crew->loop_count,
                   strerror(failure));
    return failure == 0;
}

struct crew *crew_start(const struct core *core, const struct modules *modules,
                        struct handover *handover, int wake_fd, struct buf *error)
{
    struct crew *crew = calloc(1, sizeof(*crew));
    int records;

    if (!crew) {
        buf_adds(error, "no memory to start the threads\n");
        return NULL;
    }
    the_crew = crew;
    crew->modules = modules;
    crew->wake_fd = wake_fd;
    crew->loop_count = core->model.loops;
    crew->loops = calloc((size_t)crew->loop_count, sizeof(*crew->loops));
    records = crew->loop_count + (core->model.pool ? core->threads : 0);
    board_set(&handover->board.own->threads, (uint32_t)records);
    if (!crew->loops) {
        buf_adds(error, "no memory to start the threads\n");
        return NULL;
    }
    if (!engine_fill(crew, core, modules, handover, error) ||
        !start_pool(crew, core, handover, error) || !start_loops(crew, core, handover, error))
        return NULL; /* the process ends: nothing is worth unwinding */
    return crew;
}

void crew_command(struct crew *crew, enum loop_command command)
{
    if (command == LOOP_DRAIN)
        atomic_store(&crew->engine.draining, true);
    for (int i = 0; i < crew->loop_count; i++)
        loop_command(crew->loops[i].loop, command);
}

void crew_listener_removed(struct crew *crew, const char *address)
{
    for (size_t i = 0; i < crew->engine.listener_count; i++) {
        struct listener *listener = &crew->engine.listeners[i];

        if (strcmp(address, "*") == 0 || strcmp(address, listener->address) == 0)
            atomic_store(&listener->removed, true);
    }
}

bool crew_has_stopped_accepting(const struct crew *crew)
{
    for (int i = 0; i < crew->loop_count; i++)
        if (!loop_has_stopped_accepting(crew->loops[i].loop))
            return false;
    return true;
}

void crew_close_listeners(struct crew *crew)
{
    for (size_t i = 0; i < crew->engine.listener_count; i++)
        sys_close(&crew->engine.listeners[i].fd);
}

void crew_release_listeners(struct crew *crew)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (size_t i = 0; null_fd >= 0 && i < crew->engine.listener_count; i++)
        dup3(null_fd, crew->engine.listeners[i].fd, O_CLOEXEC);
    sys_close(&null_fd);
}

bool crew_is_done(const struct crew *crew)
{
    return atomic_load(&crew->ended) == crew->loop_count;
}

void crew_end(struct crew **crew_of)
{
    struct crew *crew = *crew_of;

    for (int i = 0; i < crew->loop_count; i++)
        pthread_join(crew->loops[i].thread, NULL);
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
