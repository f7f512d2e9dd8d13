/* Restart delays; see backoff.h. Master; pure, the state is the slot's. */
#include "config.h"

#include "master/backoff.h"

int64_t backoff_next(struct backoff *backoff, enum backoff_cause cause, int64_t served)
{
    int64_t delay = 0;

    if (served >= BACKOFF_PROVEN)
        backoff->failures = 0;
    if (cause == BACKOFF_LEFT)
        return 0;
    backoff->failures++;
    if (cause == BACKOFF_REFUSED)
        return BACKOFF_CAP;
    if (backoff->failures > 1) {
        delay = BACKOFF_FIRST;
        for (int i = 2; i < backoff->failures && delay < BACKOFF_CAP; i++)
            delay *= 2;
    }
    if (cause == BACKOFF_WAS_SICK && delay < BACKOFF_SICK)
        delay = BACKOFF_SICK;
    return delay < BACKOFF_CAP ? delay : BACKOFF_CAP;
}
