/* The accept gate: of the loops of a process that may hold one connection, one at a time watches
 * the listeners. The others sleep, so an arrival wakes one thread and not all. Whoever has accepted
 * hands the gate to the loop that came last (its memory is the warmest).
 *
 * Threads: all loops of the worker. Memory: the engine's; loops are linked in by their gate_node.
 * What must hold, under the lock: the holder is not in the queue; a loop that leaves for good is
 * neither. Nothing else is locked while the lock is held. */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "net/loop-private.h"

struct accept_gate {
    pthread_mutex_t lock;
    struct loop *holder;
    struct list queue;
};

struct accept_gate *gate_new(void)
{
    struct accept_gate *gate = calloc(1, sizeof *gate);
    if (!gate)
        return NULL;
    pthread_mutex_init(&gate->lock, NULL);
    list_init(&gate->queue);
    return gate;
}

void gate_free(struct accept_gate **gate)
{
    if (!*gate)
        return;
    pthread_mutex_destroy(&(*gate)->lock);
    free(*gate);
    *gate = NULL;
}

bool gate_enter(struct loop *loop)
{
    struct accept_gate *gate = loop->engine->gate;
    pthread_mutex_lock(&gate->lock);
    if (!gate->holder)
        gate->holder = loop;
    bool mine = gate->holder == loop;
    if (!mine && list_empty(&loop->gate_node))
        list_append(&gate->queue, &loop->gate_node);
    pthread_mutex_unlock(&gate->lock);
    return mine;
}

void gate_leave(struct loop *loop)
{
    struct accept_gate *gate = loop->engine->gate;
    struct loop *next = NULL;
    pthread_mutex_lock(&gate->lock);
    list_remove(&loop->gate_node);
    if (gate->holder == loop) {
        if (!list_empty(&gate->queue)) {
            next = list_entry(gate->queue.prev, struct loop, gate_node);
            list_remove(&next->gate_node);
        }
        gate->holder = next;
    }
    pthread_mutex_unlock(&gate->lock);
    if (next)
        loop_post(next, LOOP_GATE);
}
