/* The crew; see crew.h.
 *
 * Worker, main thread, which owns the crew; loops and pool threads only read it. What they call is
 * in crew-engine.c. A crew has `loops` loop threads and, when the
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
        loop_run(self->watched.loop);
        crew_thread_exit();
    }
    words_thread_end(&stack);
    words_stack_free(&stack);
    atomic_store(&self->ended, true);
    crew_wake_main();
    return NULL;
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
        .wake = crew_wake_main,
    };
    struct children_settings children = {
        .most = core->max_each,
        .segment = segment,
        .orders_fd = crew->orders->fd,
        .become = crew_become_child,
        .crashed = crew_on_crash,
    };

    switch (core->model.each) {
    case EACH_NONE:
        return !core->model.pool || start_pool(crew, core, error);
    case EACH_THREAD:
        crew->threads = threads_new(&threads);
        break;
    case EACH_PROCESS:
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

        *self = (struct crew_loop){.crew = crew, .index = count};
        self->watched = (struct watched){
            .loop = new_loop(crew, count),
            .record = &crew->handover->board.own->thread[count],
            .index = count,
            .alone = crew->core->model.connections == 1 && !crew->threads,
        };
        if (!self->watched.loop)
            failure = errno;
        else if (!crew->children)
            failure = starter_thread(&self->watched.thread, loop_thread, self);
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
    crew->core = core;
    crew->modules = modules;
    crew->handover = handover;
    crew->orders = orders;
    crew->pid = getpid();
    crew->loop_count = core->model.loops;
    orders->crew = crew;
    starter_init(&crew->starter);
    board_set(&handover->board.own->threads, (uint32_t)records);
    if (!crew_engine_fill(crew, error) || !start_helpers(crew, core, error) ||
        !start_loops(crew, error))
        return NULL; /* the process ends: nothing is worth unwinding */
    watch_begin(crew);
    return crew;
}

/* What is lost alone is not waited for in a drain: it holds nobody else. */
static bool is_done(struct crew *crew)
{
    bool drains = crew->orders->state == DRAINING || crew->orders->state == STOPPING;

    for (int i = 0; i < crew->loop_count; i++)
        if (!atomic_load(&crew->loops[i].ended) &&
            !(drains && watched_is_left(&crew->loops[i].watched)))
            return false;
    return children_count(crew->children) == 0 &&
           (!crew->threads || threads_are_done(crew->threads));
}

void crew_serve(struct crew *crew)
{
    if (crew->children) {
        loop_run(crew->loops[0].watched.loop);
        atomic_store(&crew->loops[0].ended, true);
    }
    while (!is_done(crew))
        orders_obey(crew->orders, true);
}

void crew_leave(struct crew *crew)
{
    for (int i = 0; i < crew->loop_count && !crew->children; i++)
        pthread_detach(crew->loops[i].watched.thread);
    if (crew->threads)
        threads_leave(crew->threads);
    if (crew->pool)
        pool_leave(crew->pool);
}

void crew_end(struct crew **crew_of)
{
    struct crew *crew = *crew_of;

    for (int i = 0; i < crew->loop_count && !crew->children; i++)
        pthread_join(crew->loops[i].watched.thread, NULL);
    threads_free(&crew->threads);
    children_free(&crew->children);
    pool_free(&crew->pool); /* before the loops: a thread may still be handing a job back */
    for (int i = 0; i < crew->loop_count; i++)
        loop_free(&crew->loops[i].watched.loop);
    engine_free(&crew->engine);
    starter_end(&crew->starter);
    free(crew->engine.listeners);
    free(crew->loops);
    free(crew);
    *crew_of = NULL;
}
