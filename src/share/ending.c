/* How a process ended; see ending.h. Master, of a worker; worker, of a process that it forked for a
 * connection. */
#include "config.h"

#include "share/ending.h"

#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "share/channel.h"

void ending_put(struct buf *out, int status)
{
    if (WIFSIGNALED(status))
        buf_printf(out, "was killed by signal %d (%s)%s", WTERMSIG(status),
                   strsignal(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
    else if (WEXITSTATUS(status) == WORKER_BAD_CONF)
        buf_adds(out, "refused its configuration or a module");
    else if (WEXITSTATUS(status) == WORKER_SICK)
        buf_adds(out, "was short of a resource");
    else
        buf_printf(out, "exited with status %d", WEXITSTATUS(status));
}
