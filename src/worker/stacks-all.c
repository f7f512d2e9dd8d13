/* The stacks of all threads of a worker, for the master; see stacks.h.
 *
 * Worker, main thread. Threads that end are not asked. */
#include "config.h"

#include "share/words.h"
#include "worker/crew-private.h"
#include "worker/handover.h"
#include "worker/orders.h"
#include "worker/pool.h"
#include "worker/stacks.h"
#include "worker/threads.h"

struct asked {
    struct orders *orders;
    uint32_t op;
    unsigned silent; /* threads that did not answer */
};

#define SILENT_MOST 5 /* each has cost a second */

static void ask(pthread_t thread, void *arg)
{
    struct asked *asked = arg;
    struct words_record *stack = asked->silent < SILENT_MOST ? stacks_take(thread) : NULL;
    struct words_record nothing = {.thread = -1};

    if (!stack) {
        asked->silent++;
        stack = &nothing;
        pthread_getname_np(thread, nothing.name, sizeof(nothing.name));
    }
    orders_tell_stack(asked->orders, asked->op, 0, stack);
}

static void ask_unit(struct watched *watched, void *arg)
{
    ask(watched->thread, arg);
}

void stacks_tell(struct orders *orders, uint32_t op)
{
    struct crew *crew = orders->crew;
    struct asked asked = {.orders = orders, .op = op};
    pthread_t thread;

    ask(pthread_self(), &asked);
    for (int i = 0; crew && !crew->children && i < crew->loop_count; i++)
        if (board_get(&crew->handover->board.own->thread[i].state) != BOARD_ENDED)
            ask(crew->loops[i].watched.thread, &asked);
    for (int i = 0; crew && crew->pool && i < pool_members(crew->pool); i++)
        if (pool_thread_of(crew->pool, i, &thread))
            ask(thread, &asked);
    if (crew && crew->threads)
        threads_watch(crew->threads, ask_unit, &asked);
}
