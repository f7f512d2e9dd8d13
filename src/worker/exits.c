/* exit(3) in a module; see exits.h. A worker, in the thread that has called it; nothing is owned. A
 * process that a module has forked by itself may exit as it likes. */
#include "config.h"

#include "worker/exits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "net/hand.h"

static pid_t watched;

static const char *text(const char *text)
{
    return text ? text : "";
}

static void on_exit_called(void)
{
    struct hand hand;

    if (getpid() != watched)
        return;
    hand_tell(&hand);
    if (hand.said.module)
        log_msg(LOG_MODULE_EXIT, "the module %s has called exit(), which ends this process: route "
                "%s, request %s %s", hand.said.module, text(hand.said.route),
                text(hand.said.method), text(hand.said.target));
}

void exits_watch(void)
{
    static bool begun;

    watched = getpid();
    if (!begun)
        begun = atexit(on_exit_called) == 0;
}
