/* A thread that was lost and is not any more; see watched.h. Worker. */
#include "config.h"

#include "worker/watched.h"

#include "base/log.h"

void watched_goes_on(struct watched *self)
{
    if (!self->lost_at)
        return;
    self->lost_at = 0;
    self->aborted = false;
    board_set(&self->record->lost_since, 0);
    log_msg(LOG_THREAD_BACK, "the thread loop-%d, which had been lost in a handler, is back",
            self->index);
}
