/* What a thread has in hand; see hand.h.
 *
 * Any thread of a worker writes its own, by two stores for each request; the handler of the signal
 * that kills it reads. Memory: whoever says it owns it, and takes it back before that goes. */
#include "config.h"

#include "net/hand.h"

#include "net/loop-private.h"

static _Thread_local struct {
    void (*describe)(const void *arg, reeve_hand *hand);
    const void *arg;
} said;

void reeve_in_hand(void (*describe)(const void *arg, reeve_hand *hand), const void *arg)
{
    said.describe = describe;
    said.arg = arg;
}

void hand_tell(struct hand *hand)
{
    const struct job *job = job_running();
    const struct loop *loop = loop_current();
    const struct reeve_conn *conn = job ? job->conn : loop ? loop->stepping : NULL;

    *hand = (struct hand){0};
    if (conn) {
        hand->peer = conn->peer;
        hand->protocol = job ? job->protocol : conn->from->listener->protocol_name;
        hand->label = job ? job->label : conn->label ? conn->label->text : NULL;
        hand->label_length = job ? sizeof job->label : conn->label ? conn->label->length : 0;
    }
    if (said.describe) /* last: it is not our code */
        said.describe(said.arg, &hand->said);
}
