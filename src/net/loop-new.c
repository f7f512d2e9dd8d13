/* Making and freeing loops, and the engine that all loops of a process share.
 *
 * Thread: the main thread, while the loop's own does not run. Memory: see loop-private.h; who makes
 * an engine owns it. What must hold: a loop is freed only when nobody is in the middle of posting to
 * it (visitors). */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "net/loop-private.h"

static struct engine *_Atomic the_engine;

struct engine *loop_engine(void)
{
    return atomic_load_explicit(&the_engine, memory_order_acquire);
}

int engine_init(struct engine *engine)
{
    signal(SIGPIPE, SIG_IGN); /* send() can be told not to raise it, sendfile() cannot */
    engine->gate = gate_new();
    if (!engine->gate)
        return -1;
    atomic_store_explicit(&the_engine, engine, memory_order_release);
    return 0;
}

void engine_free(struct engine *engine)
{
    atomic_store_explicit(&the_engine, NULL, memory_order_release);
    gate_free(&engine->gate);
}

static const struct wait_ops *const wait_kinds[WAIT_KINDS] = {
#define X(symbol, name) [WAIT_##symbol] = &wait_##name,
#include "conf/waits.def"
#undef X
};

static void listeners_init(struct loop *loop)
{
    for (size_t i = 0; i < loop->engine->listener_count; i++) {
        struct loop_listener *from = &loop->listeners[i];
        from->listener = &loop->engine->listeners[i];
        wait_source_init(&from->source, from->listener->fd, WAIT_ROLE_LISTENER);
        const struct passage *passage = from->listener->passage;
        wait_source_init(&from->passage, passage ? passage->take : -1, WAIT_ROLE_PASSAGE);
        list_init(&from->shelf);
    }
}

static int loop_open(struct loop *loop)
{
    wait_source_init(&loop->wake, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), WAIT_ROLE_WAKE);
    wait_source_init(&loop->guest, loop->settings.guest_fd, WAIT_ROLE_GUEST);
    loop->wait = loop->ops->create();
    loop->scratch = malloc(SCRATCH);
    loop->listeners = calloc(loop->engine->listener_count + 1, sizeof *loop->listeners);
    if (loop->listeners)
        listeners_init(loop); /* loop_free() goes through them, come what may */
    if (loop->wake.fd < 0 || !loop->wait || !loop->scratch || !loop->listeners)
        return -1;
    if (loop->settings.guest_ready && loop->ops->listen(loop->wait, &loop->guest, false) < 0)
        return -1;
    return loop->ops->want(loop->wait, &loop->wake, WAIT_READ);
}

struct loop *loop_new(const struct loop_settings *settings)
{
    struct loop *loop = aligned_alloc(_Alignof(struct loop), sizeof *loop);
    if (!loop)
        return NULL;
    *loop = (struct loop){.settings = *settings, .engine = settings->engine,
                           .in_hand.fd = -1};
    loop->ops = wait_kinds[settings->wait];
    list_init(&loop->conns);
    list_init(&loop->dead);
    list_init(&loop->ready);
    list_init(&loop->spare_jobs);
    list_init(&loop->gate_node);
    pthread_mutex_init(&loop->inside_lock, NULL);
    wheel_init(&loop->wheel, clock_fresh_ms());
    loop->pool.in_memory = loop->engine->submit ? loop->engine->in_memory : NULL;
    if (loop_open(loop) < 0) {
        int error = errno;
        loop_free(&loop);
        errno = error;
        return NULL;
    }
    board_set(&settings->record->state, BOARD_STARTING);
    if (move_takes(loop))
        board_set(&loop->engine->board->own_share->takes, 1);
    return loop;
}

void loop_free(struct loop **loop_of)
{
    struct loop *loop = *loop_of;
    if (!loop)
        return;
    while (atomic_load(&loop->visitors)) /* its last job is back, but who brought it still leaves */
        sched_yield();
    for (size_t i = 0; loop->listeners && i < loop->engine->listener_count; i++)
        conn_shelf_free(&loop->listeners[i]);
    job_spares_free(loop);
    record_spares_free(loop);
    out_pool_free(&loop->pool);
    if (loop->wait)
        loop->ops->destroy(loop->wait);
    sys_close(&loop->wake.fd);
    pthread_mutex_destroy(&loop->inside_lock);
    free(loop->listeners);
    free(loop->scratch);
    free(loop);
    *loop_of = NULL;
}
