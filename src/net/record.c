/* What a loop shows of itself on the board. Plain stores to its own record; only the number of open
 * connections of the whole worker is added to by all of its loops.
 *
 * Thread: the loop's. Memory: the record is the board's; a busy connection has a label, which jobs
 * of its are shown by later, from the loop's spare ones; one that is idle again before the loop
 * turns to another connection needs none. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/loop-private.h"

#define SPARES 64 /* labels that a loop keeps */

void record_share(struct loop *loop, uint32_t change)
{
    _Atomic uint32_t *open = &loop->engine->board->own_share->connections;
    atomic_fetch_add_explicit(open, change, memory_order_relaxed);
}

void record_opened(struct loop *loop, bool moved)
{
    struct board_thread *record = loop->settings.record;
    if (!loop->settings.launched)
        record_share(loop, 1);
    board_add(&record->connections, 1);
    if (!moved)
        board_add(&record->accepted, 1);
    else if (loop->phase != LOOP_DRAINING) /* else it only passes through */
        board_add(&record->moved_in, 1);
}

void record_closed(struct loop *loop, bool moved)
{
    struct board_thread *record = loop->settings.record;
    if (!loop->settings.launched)
        record_share(loop, -1u);
    board_add(&record->connections, -1u);
    if (!moved && loop->phase == LOOP_DRAINING)
        board_add(&record->stayed, 1);
}

static struct conn_label *label_new(struct loop *loop)
{
    struct conn_label *label = loop->spare_labels;
    if (!label)
        return malloc(sizeof *label);
    loop->spare_labels = label->next;
    loop->spare_label_count--;
    return label;
}

static __attribute__((noinline)) void label_free(struct loop *loop, struct conn_label *label)
{
    if (loop->spare_label_count >= SPARES) {
        free(label);
        return;
    }
    label->next = loop->spare_labels;
    loop->spare_labels = label;
    loop->spare_label_count++;
}

void record_spares_free(struct loop *loop)
{
    while (loop->spare_labels) {
        struct conn_label *label = loop->spare_labels;
        loop->spare_labels = label->next;
        free(label);
    }
}

void record_keep_label(struct reeve_conn *conn)
{
    if (!conn->busy || conn->label || conn->loop->shown != conn)
        return;
    conn->label = label_new(conn->loop);
    if (conn->label)
        memcpy(conn->label->text, conn->loop->settings.record->label, BOARD_LABEL);
}

/* The record shows another connection, or one of another protocol. */
static __attribute__((noinline)) void turn_to(struct reeve_conn *conn)
{
    struct loop *loop = conn->loop;
    const char *protocol = conn->from->listener->protocol_name;
    if (loop->shown && loop->shown != conn)
        record_keep_label(loop->shown);
    if (conn->label) /* of what it was busy with before */
        label_free(loop, conn->label);
    conn->label = NULL;
    if (loop->shown_protocol != protocol)
        board_protocol(loop->settings.record, protocol);
    loop->shown_protocol = protocol;
}

void record_busy(struct reeve_conn *conn, const char *label, size_t length)
{
    struct loop *loop = conn->loop;
    struct board_thread *record = loop->settings.record;
    if (loop->shown || conn->label ||
        loop->shown_protocol != conn->from->listener->protocol_name)
        turn_to(conn);
    board_label(record, label, length);
    board_add(&record->requests, 1);
    board_set(&record->busy_since, clock_now_ms());
    board_set(&record->state, BOARD_BUSY);
    loop->shown = conn;
}

void record_over(struct reeve_conn *conn)
{
    if (conn->loop->shown == conn)
        record_idle(conn->loop);
    if (conn->label)
        label_free(conn->loop, conn->label);
    conn->label = NULL;
}

void record_failed(struct loop *loop)
{
    board_add(&loop->settings.record->errors, 1);
}

void record_idle(struct loop *loop)
{
    struct board_thread *record = loop->settings.record;
    bool draining = loop->phase == LOOP_DRAINING || loop->phase == LOOP_STOPPING;
    loop->shown = NULL;
    board_set(&record->busy_since, 0);
    board_set(&record->state, draining ? BOARD_DRAINING : BOARD_WAITING);
}
