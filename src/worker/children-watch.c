/* Processes whose handlers do not return; see children.h.
 *
 * Worker of the model forking, its only thread, which sees by the board whether a process comes on.
 * One that has been at one thing for too long is asked where it is, by a signal, says so over its
 * channel (child.c), and is killed; if it does not answer it is killed without. Nobody else is held
 * up by it, and nothing of its memory is worth anything. What must hold: one that is stopped or
 * traced is not blamed; and its end is no crash. */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "base/sys.h"
#include "share/channel.h"
#include "share/words.h"
#include "worker/children-private.h"
#include "worker/stacks.h"

#define ANSWER_WITHIN 1000 /* ms */

/* Does it wait for news? Else `progress` says what it is at, as that of loop_waits(). */
static bool waits(const struct board_thread *record, uint64_t *progress)
{
    uint32_t turns = board_get(&record->turns);

    *progress = turns + board_get(&record->requests) + board_get(&record->bytes_in);
    return BOARD_TURN_WAITS(turns);
}

static void ask(struct children *children, unsigned record, int64_t now)
{
    struct child *child = &children->child[record];
    bool heard = children_listen(children, record, true);

    child->asked = now;
    child->stage = CHILD_ASKED;
    if (heard)
        sigqueue(child->pid, STACKS_SIGNAL, (union sigval){.sival_int = (int)record});
}

static void end(struct children *children, unsigned record, int64_t ran_ms,
                const struct words_record *stack)
{
    struct child *child = &children->child[record];

    child->stage = CHILD_ENDED;
    children->settings.late(child->pid, stack, ran_ms);
    kill(child->pid, SIGKILL);
}

static void look(struct children *children, unsigned record, int64_t now, int64_t limit)
{
    struct child *child = &children->child[record];
    uint64_t progress;
    bool is_idle = waits(&children->settings.segment->thread[record], &progress);

    if (child->stage == CHILD_ASKED && now - child->asked >= ANSWER_WITHIN) {
        end(children, record, now - child->since, NULL);
        return;
    }
    if (child->stage != CHILD_WELL)
        return;
    if (is_idle || child->since == 0 || progress != child->progress ||
        sys_is_stopped(child->pid)) {
        child->progress = progress;
        child->since = now;
    } else if (now - child->since >= limit) {
        ask(children, record, now);
    }
}

void children_watch(struct children *children, int64_t now, int64_t limit)
{
    for (unsigned record = 1; record <= children->made; record++)
        if (children->child[record].pid)
            look(children, record, now, limit);
}

/* It may have come on since it was asked. */
void children_found(struct children *children, unsigned record, const struct msg *msg)
{
    struct child *child = &children->child[record];
    struct words_record stack;
    uint64_t progress;

    if (child->stage != CHILD_ASKED || msg->length != sizeof(stack))
        return;
    child->stage = CHILD_WELL;
    children_listen(children, record, false);
    if (waits(&children->settings.segment->thread[record], &progress) ||
        progress != child->progress)
        return;
    memcpy(&stack, msg->text, sizeof(stack));
    end(children, record, child->asked - child->since, &stack);
}
