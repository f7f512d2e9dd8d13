/* Rollback; see rollback.h.
 *
 * Master. While a probation is on, the warm generation serves again: nothing is started, and it
 * keeps its number. Otherwise the configuration is taken from the past and goes the way of any
 * other, as a generation with a new number: its workers are new, and so may the files of its
 * modules be. */
#include "config.h"

#include "master/rollback.h"

#include "base/buf.h"
#include "master/generation.h"
#include "master/operation.h"
#include "master/past.h"
#include "master/reload.h"
#include "master/state.h"
#include "share/snapshot.h"

/* Ends the probation. */
static struct operation *to_warm(void)
{
    struct operation *operation = operation_new(VERB_ROLLBACK);
    uint32_t number = master.warm->number;

    operation_result(operation, CONTROL_DONE, "generation %u serves again; " FILE_UNCHANGED,
                     number);
    operation->generation = number;
    generation_fail(master.serving, "taken back by 'reevectl rollback'");
    return operation;
}

struct operation *rollback_begin(uint32_t number, struct buf *error)
{
    struct snapshot *snapshot;

    if (!master.serving || master.state != MASTER_SERVING) {
        buf_adds(error, "no generation serves");
    } else if (number == master.serving->number) {
        buf_printf(error,
                   "generation %u serves now; 'reevectl generations' lists those to go back to",
                   number);
    } else if (master.warm && (number == 0 || number == master.warm->number)) {
        return to_warm();
    } else if (master.warm) {
        buf_printf(error, "generation %u is on probation; 'reevectl rollback' goes back to "
                   "generation %u, and further from there", master.serving->number,
                   master.warm->number);
    } else if (reload_is_under_way()) {
        buf_adds(error, "a reload is under way; ask again when it has ended");
    } else {
        snapshot = past_find(&number, error);
        return snapshot ? reload_back(snapshot, number) : NULL;
    }
    return NULL;
}
