/* The master's round; see patrol.h.
 *
 * Master, once a second: it notes the requests for the rate in `status`, replaces workers that have
 * lasted long enough (recycling.h), sees to their number (muster.h), and looks whether somebody
 * waits at the door. The kernel wakes one worker for each connection; if that one is stopped (by a
 * debugger, say), the connection would wait until the next one comes. So a listener that has had
 * connections waiting in two rounds makes all workers look, as does one that had been shut down. */
#include "config.h"

#include "master/patrol.h"

#include <poll.h>

#include "base/sys.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/muster.h"
#include "master/reactor.h"
#include "master/recycling.h"
#include "master/report.h"
#include "master/state.h"
#include "master/workers.h"

#define ROUND 1000 /* ms */

static void on_round(void *arg);
static struct timer round_timer = {.fire = on_round};

/* True if connections wait there, or in its passage, now and did so a round ago. */
static bool has_waited(struct listener *listener)
{
    struct pollfd doors[] = {{.fd = listener->fd, .events = POLLIN},
                             {.fd = listener->passage.take, .events = POLLIN}};
    bool waiting = !listener->removed && poll(doors, 2, 0) > 0 &&
                   ((doors[0].revents | doors[1].revents) & POLLIN);
    bool before = listener->waiting;

    listener->waiting = waiting;
    return waiting && before;
}

static void call_workers(void)
{
    list_each(node, &master.serving->workers) {
        struct worker *worker = list_entry(node, struct worker, node);

        if (worker->serving && worker->state == WORKER_READY)
            worker_tell(worker, MSG_LOOK, 0, 0, -1, NULL);
    }
}

static void on_round(void *arg)
{
    bool call = false;

    (void)arg;
    report_sample();
    list_each(node, &listeners) {
        struct listener *listener = list_entry(node, struct listener, node);

        /* The flag is everybody's who has the socket: an activator, or a worker gone mad. */
        sys_set_nonblock(listener->fd, true);
        call = listener_revive(listener) || call;
        call = has_waited(listener) || call;
    }
    if (call && master.serving)
        call_workers();
    recycling_round();
    muster_round();
    timer_set(&round_timer, ROUND);
}

void patrol_start(void)
{
    on_round(NULL);
}
