/* Generations that never serve; see look.h. Master. Any number may be under way, beside a reload
 * too. */
#include "config.h"

#include "master/look.h"

#include "base/buf.h"
#include "conf/conf.h"
#include "master/generation.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/state.h"
#include "share/snapshot.h"

struct snapshot *look_snapshot(const char *path, struct buf *errors)
{
    return snapshot_take(path, conf_builtin, master.options->overrides,
                         master.options->override_count, errors);
}

bool look_begin(struct snapshot *snapshot, struct operation *operation,
                void (*ended)(struct generation *look, bool works), struct buf *errors)
{
    struct generation *look = generation_new(snapshot, errors);

    if (!look)
        return false;
    look->check = ended;
    look->operation = operation;
    generation_event(look, EVENT_START, NULL);
    return true;
}

static void checked(struct generation *look, bool works)
{
    struct operation *operation = look->operation;

    look->operation = NULL;
    operation_result(operation, works ? CONTROL_DONE : CONTROL_REFUSED, "%s",
                     works ? "the configuration is valid" : buf_text(&look->why));
    operation_ack(operation);
}

struct operation *look_check(const char *path)
{
    struct operation *operation = operation_new(VERB_CHECK);
    struct buf errors = {0};
    struct snapshot *snapshot = look_snapshot(path ? path : master.options->config, &errors);

    operation_wait(operation); /* the caller's join comes first */
    if (!snapshot || !look_begin(snapshot, operation, checked, &errors)) {
        operation_result(operation, CONTROL_REFUSED, "%s", buf_text(&errors));
        operation_ack(operation);
    }
    buf_free(&errors);
    return operation;
}
