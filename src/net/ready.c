/* Connections that can go on without waiting, since they have used up their share of a turn.
 *
 * Thread: the loop's. Memory: nothing of its own. What must hold: between two looks at what is new
 * only a few of them go on, in their order; so thousands of large answers keep nobody waiting who
 * asks for a small one. */
#include "config.h"

#include "net/loop-private.h"

#define READY_A_TURN 8 /* connections; each may send a megabyte */

void ready_add(struct reeve_conn *conn)
{
    if (list_empty(&conn->ready))
        list_append(&conn->loop->ready, &conn->ready);
}

void ready_run(struct loop *loop)
{
    const struct list *last = loop->ready.prev; /* who comes after it has had this turn already */
    for (int i = 0; i < READY_A_TURN && !list_empty(&loop->ready); i++) {
        struct list *node = loop->ready.next;
        bool is_last = node == last;
        list_remove(node);
        step_run(list_entry(node, struct reeve_conn, ready));
        if (is_last)
            return;
    }
}
