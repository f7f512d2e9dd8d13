/* A thread for each connection; see threads.h.
 *
 * The front loop's thread launches, each launched thread serves one connection by a loop of its
 * own, the main thread commands. A unit (thread, loop, record on the board) is spare, running or
 * ended; whoever launches joins the ended ones first and uses their loops again. Units belong to
 * the threads object until threads_free(). What must hold, under the lock: a unit is in exactly
 * one of the three lists, and only a running one's loop is touched by others. */
#include "config.h"

#include "worker/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "worker/starter.h"

struct unit {
    struct list node;
    struct threads *threads;
    struct loop *loop, *front;
    unsigned record;
    pthread_t thread;
    struct accepted accepted;
};

struct threads {
    struct threads_settings settings;
    pthread_mutex_t lock;
    struct list spare, running, ended;
    bool stopping;
    unsigned made;
};

struct threads *threads_new(const struct threads_settings *settings)
{
    struct threads *threads = calloc(1, sizeof(*threads));

    if (!threads)
        return NULL;
    threads->settings = *settings;
    pthread_mutex_init(&threads->lock, NULL);
    list_init(&threads->spare);
    list_init(&threads->running);
    list_init(&threads->ended);
    return threads;
}

static void move(struct unit *unit, struct list *to)
{
    struct threads *threads = unit->threads;

    pthread_mutex_lock(&threads->lock);
    list_remove(&unit->node);
    list_append(to, &unit->node);
    if (to == &threads->running && threads->stopping)
        loop_command(unit->loop, LOOP_STOP);
    pthread_mutex_unlock(&threads->lock);
}

static void *unit_thread(void *arg)
{
    struct unit *unit = arg;
    struct threads *threads = unit->threads;
    struct loop *front = unit->front;

    starter_name("loop", (int)unit->record);
    clock_refresh();
    if (threads->settings.thread_init() == 0) {
        loop_serve_one(unit->loop, &unit->accepted);
        threads->settings.thread_exit();
    } else {
        close(unit->accepted.fd);
        board_set(&threads->settings.segment->thread[unit->record].state, BOARD_UNUSED);
    }
    move(unit, &threads->ended); /* from here on it is the front loop's */
    loop_launched_ended(front);
    if (atomic_load(&threads->settings.engine->draining))
        threads->settings.wake();
    return NULL;
}

/* Those that have ended, or are about to return. */
static void join_ended(struct threads *threads)
{
    struct list ended;

    list_init(&ended);
    pthread_mutex_lock(&threads->lock);
    while (!list_empty(&threads->ended)) {
        struct list *node = threads->ended.next;

        list_remove(node);
        list_append(&ended, node);
    }
    pthread_mutex_unlock(&threads->lock);
    while (!list_empty(&ended)) {
        struct unit *unit = list_entry(ended.next, struct unit, node);

        pthread_join(unit->thread, NULL);
        move(unit, &threads->spare);
    }
}

/* NULL with errno. */
static struct unit *unit_new(struct threads *threads)
{
    struct board_segment *segment = threads->settings.segment;
    struct unit *unit = calloc(1, sizeof(*unit));
    struct loop_settings settings = {
        .engine = threads->settings.engine,
        .connections = 1,
        .wait = threads->settings.wait,
        .record = &segment->thread[threads->made + 1],
        .launched = true,
    };

    if (!unit)
        return NULL;
    unit->threads = threads;
    unit->record = threads->made + 1;
    list_init(&unit->node);
    unit->loop = loop_new(&settings);
    if (!unit->loop) {
        free(unit);
        return NULL;
    }
    threads->made++;
    board_set(&segment->threads, unit->record + 1);
    return unit;
}

static struct unit *take_spare(struct threads *threads)
{
    struct unit *unit;

    join_ended(threads);
    if (list_empty(&threads->spare)) /* nobody else looks at this list */
        return unit_new(threads);
    unit = list_entry(threads->spare.prev, struct unit, node); /* its memory is the warmest */
    return unit;
}

int threads_launch(struct threads *threads, struct loop *front, const struct accepted *accepted)
{
    struct unit *unit = take_spare(threads);
    int error;

    if (!unit)
        return -1;
    unit->front = front;
    unit->accepted = *accepted;
    move(unit, &threads->running);
    error = starter_thread(&unit->thread, unit_thread, unit);
    if (error) {
        move(unit, &threads->spare);
        errno = error;
        return -1;
    }
    return 0;
}

void threads_command(struct threads *threads, enum loop_command command)
{
    pthread_mutex_lock(&threads->lock);
    threads->stopping = threads->stopping || command == LOOP_STOP;
    list_each(node, &threads->running)
        loop_command(list_entry(node, struct unit, node)->loop, command);
    pthread_mutex_unlock(&threads->lock);
}

bool threads_are_done(struct threads *threads)
{
    bool done;

    pthread_mutex_lock(&threads->lock);
    done = list_empty(&threads->running);
    pthread_mutex_unlock(&threads->lock);
    return done;
}

void threads_free(struct threads **threads_of)
{
    struct threads *threads = *threads_of;

    if (!threads)
        return;
    join_ended(threads);
    while (!list_empty(&threads->spare)) {
        struct unit *unit = list_entry(threads->spare.next, struct unit, node);

        list_remove(&unit->node);
        loop_free(&unit->loop);
        free(unit);
    }
    pthread_mutex_destroy(&threads->lock);
    free(threads);
    *threads_of = NULL;
}
