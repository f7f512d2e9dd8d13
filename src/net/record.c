/* What a loop shows of itself on the board. Plain stores to its own record; only the number of open
 * connections of the whole worker is added to by all of its loops.
 *
 * Thread: the loop's. Memory: the record is the board's. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "net/loop-private.h"

void record_share(struct loop *loop, uint32_t change)
{
    _Atomic uint32_t *open = &loop->engine->board->own_share->connections;
    atomic_fetch_add_explicit(open, change, memory_order_relaxed);
}

void record_opened(struct loop *loop)
{
    struct board_thread *record = loop->settings.record;
    if (!loop->settings.launched)
        record_share(loop, 1);
    board_add(&record->connections, 1);
    board_add(&record->accepted, 1);
}

void record_closed(struct loop *loop)
{
    if (!loop->settings.launched)
        record_share(loop, -1u);
    board_add(&loop->settings.record->connections, -1u);
}

void record_busy(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    struct board_thread *record = loop->settings.record;
    const char *protocol = conn->from->listener->protocol_name;
    if (loop->shown_protocol != protocol) {
        size_t length = strnlen(protocol, sizeof record->protocol - 1);
        memcpy(record->protocol, protocol, length);
        record->protocol[length] = '\0';
        loop->shown_protocol = protocol;
    }
    board_label(record, conn->label, conn->label_length);
    board_add(&record->requests, 1);
    board_set(&record->busy_since, clock_now_ms());
    board_set(&record->state, BOARD_BUSY);
    loop->shown = conn;
}

void record_idle(struct loop *loop)
{
    struct board_thread *record = loop->settings.record;
    bool draining = loop->phase == LOOP_DRAINING || loop->phase == LOOP_STOPPING;
    loop->shown = NULL;
    board_set(&record->busy_since, 0);
    board_set(&record->state, draining ? BOARD_DRAINING : BOARD_WAITING);
}
