/* How a new generation fared, and what follows from it; see reload.h. Master. Called by the actions
 * of generations and by probation; whoever waits for the operation is answered here. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/operation.h"
#include "master/past.h"
#include "master/reload.h"
#include "master/rollback.h"
#include "master/state.h"
#include "master/stop.h"

/* What is held for the life of the master. */
static void tell_unchangeable(const struct core *core)
{
    if (strcmp(core->control, master.control) != 0 ||
        strcmp(core->pid_file, master.pid_file) != 0 ||
        strcmp(core->control_group, master.control_group) != 0)
        say(LOG_RESTART_NEEDED,
            "control, control_group and pid_file take effect at the next start");
}

void reload_took_over_for_now(struct generation *generation)
{
    logs_adopt(&generation->core);
    tell_unchangeable(&generation->core);
    past_note(generation);
}

void reload_took_over(struct generation *generation, struct operation *operation)
{
    const char *changed = buf_text(&generation->changed);

    reload_took_over_for_now(generation);
    operation_result(operation, CONTROL_DONE, "generation %u serves%s%s%s", generation->number,
                     *changed ? ": " : "", changed, *changed ? " has changed" : "");
    if (operation)
        operation->generation = generation->number;
    if (operation && operation->back_to) {
        past_blame(operation->back_from);
        operation_result(operation, CONTROL_DONE, "generation %u serves the configuration of "
                         "generation %u; " FILE_UNCHANGED, generation->number, operation->back_to);
    }
    if (master.state == MASTER_STARTING)
        master.state = MASTER_SERVING;
    stop_oldest(generation->core.generations_limit);
    operation_ack(operation);
}

void reload_gave_up(struct generation *generation, struct operation *operation)
{
    logs_abandon();
    say(LOG_GENERATION_FAILED, "generation %u was given up%s", generation->number,
        master.serving ? "; the old one serves on" : "");
    master_set_error(buf_text(&generation->why));
    operation_result(operation, CONTROL_ROLLED_BACK, "%s", buf_text(&generation->why));
    operation_ack(operation);
    if (master.state == MASTER_STARTING) {
        master_complain(buf_text(&generation->why));
        master.exit_status = 1;
        stop_begin(1, NULL);
    }
}
