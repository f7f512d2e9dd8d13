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
#include "worker/words.h"

#define SPARE_LOOPS 32 /* that are kept: after a wave its descriptors and memory are given back */

struct unit {
    struct list node;
    struct threads *threads;
    struct loop *loop; /* NULL: given back */
    struct loop *front;
    unsigned record;
    pthread_t thread;
    bool up;               /* running: it has a thread that others may look at */
    struct watched watched; /* of this run */
    struct words_stack stack; /* of its threads, one after the other */
    struct accepted accepted;
};

struct threads {
    struct threads_settings settings;
    pthread_mutex_t lock;
    struct list spare, running, ended;
    bool stopping;
    unsigned made;
    unsigned spare_loops; /* of ended and spare units */
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

static void run(struct unit *unit)
{
    struct threads *threads = unit->threads;

    pthread_mutex_lock(&threads->lock);
    list_remove(&unit->node);
    list_append(&threads->running, &unit->node);
    unit->up = false;
    threads->spare_loops--;
    if (threads->stopping)
        loop_command(unit->loop, LOOP_STOP);
    pthread_mutex_unlock(&threads->lock);
}

/* Its thread could not be started. */
static void put_back(struct unit *unit)
{
    struct threads *threads = unit->threads;

    pthread_mutex_lock(&threads->lock);
    list_remove(&unit->node);
    list_append(&threads->spare, &unit->node);
    threads->spare_loops++;
    pthread_mutex_unlock(&threads->lock);
}

/* It has ended: its loop is kept for the next one, or there are enough of them. */
static void retire(struct unit *unit)
{
    struct threads *threads = unit->threads;
    bool keep;

    pthread_mutex_lock(&threads->lock);
    watched_goes_on(&unit->watched);
    keep = threads->spare_loops < SPARE_LOOPS;
    threads->spare_loops += keep;
    list_remove(&unit->node);
    list_append(&threads->ended, &unit->node);
    pthread_mutex_unlock(&threads->lock);
    if (!keep)
        loop_free(&unit->loop); /* nobody else looks at it before this thread was joined */
}

/* Its thread has begun. */
static void begin(struct unit *unit)
{
    struct threads *threads = unit->threads;

    pthread_mutex_lock(&threads->lock);
    unit->watched = (struct watched){
        .loop = unit->loop,
        .thread = pthread_self(),
        .record = &threads->settings.segment->thread[unit->record],
        .index = (int)unit->record,
        .alone = true,
        .launched = true,
    };
    unit->up = true;
    pthread_mutex_unlock(&threads->lock);
}

static void *unit_thread(void *arg)
{
    struct unit *unit = arg;
    struct threads *threads = unit->threads;
    struct loop *front = unit->front;

    starter_name("loop", (int)unit->record);
    words_thread_begin(&unit->stack, (int)unit->record);
    begin(unit);
    clock_refresh();
    if (threads->settings.thread_init() == 0) {
        loop_serve_one(unit->loop, &unit->accepted);
        threads->settings.thread_exit();
    } else {
        limit_drop(&unit->accepted);
        board_set(&threads->settings.segment->thread[unit->record].state, BOARD_UNUSED);
    }
    words_thread_end(&unit->stack);
    retire(unit);
    loop_launched_ended(front);
    if (atomic_load(&threads->settings.engine->draining))
        threads->settings.wake();
    return NULL;
}

/* Those that have ended, or are about to return, become spare: behind the others if they have a
 * loop, which is warm, before them if not. */
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
        list_remove(&unit->node);
        list_append(unit->loop ? &threads->spare : threads->spare.next, &unit->node);
    }
}

/* A loop for a spare unit. False with errno. */
static bool open_loop(struct unit *unit)
{
    struct threads *threads = unit->threads;
    struct loop_settings settings = {
        .engine = threads->settings.engine,
        .connections = 1,
        .wait = threads->settings.wait,
        .record = &threads->settings.segment->thread[unit->record],
        .launched = true,
    };

    unit->loop = loop_new(&settings);
    if (!unit->loop)
        return false;
    pthread_mutex_lock(&threads->lock);
    threads->spare_loops++;
    pthread_mutex_unlock(&threads->lock);
    return true;
}

/* A further one, spare. NULL with errno. */
static struct unit *unit_new(struct threads *threads)
{
    struct unit *unit = calloc(1, sizeof(*unit));

    if (!unit)
        return NULL;
    unit->threads = threads;
    unit->record = ++threads->made;
    board_set(&threads->settings.segment->threads, unit->record + 1);
    list_append(&threads->spare, &unit->node);
    return unit;
}

/* A spare one with a loop; NULL with errno. Only this thread looks at the list of spare ones. */
static struct unit *find_spare(struct threads *threads)
{
    struct unit *unit;

    join_ended(threads);
    unit = list_empty(&threads->spare) ? unit_new(threads)
                                       : list_entry(threads->spare.prev, struct unit, node);
    if (unit && !unit->loop && !open_loop(unit))
        return NULL;
    return unit;
}

int threads_launch(struct threads *threads, struct loop *front, const struct accepted *accepted)
{
    struct unit *unit = find_spare(threads);
    int error;

    if (!unit)
        return -1;
    unit->front = front;
    unit->accepted = *accepted;
    run(unit);
    error = starter_thread(&unit->thread, unit_thread, unit);
    if (error) {
        put_back(unit);
        errno = error;
        return -1;
    }
    return 0;
}

void threads_watch(struct threads *threads, void (*visit)(struct watched *watched, void *arg),
                   void *arg)
{
    pthread_mutex_lock(&threads->lock);
    list_each(node, &threads->running) {
        struct unit *unit = list_entry(node, struct unit, node);

        if (unit->up)
            visit(&unit->watched, arg);
    }
    pthread_mutex_unlock(&threads->lock);
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
    bool done = true;

    pthread_mutex_lock(&threads->lock);
    list_each(node, &threads->running) {
        struct unit *unit = list_entry(node, struct unit, node);

        done = done && unit->up && watched_is_left(&unit->watched);
    }
    pthread_mutex_unlock(&threads->lock);
    return done;
}

bool threads_have_left(struct threads *threads)
{
    bool left;

    pthread_mutex_lock(&threads->lock);
    left = !list_empty(&threads->running);
    pthread_mutex_unlock(&threads->lock);
    return left;
}

void threads_leave(struct threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    list_each(node, &threads->running)
        pthread_detach(list_entry(node, struct unit, node)->thread);
    list_each(node, &threads->ended)
        pthread_detach(list_entry(node, struct unit, node)->thread);
    pthread_mutex_unlock(&threads->lock);
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
        words_stack_free(&unit->stack);
        free(unit);
    }
    pthread_mutex_destroy(&threads->lock);
    free(threads);
    *threads_of = NULL;
}
