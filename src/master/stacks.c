/* Where threads of the workers are; see stacks.h.
 *
 * Master. What a worker says is judged as its last words are (crashes.c): texts get an end,
 * addresses are looked up in its own table and never followed. Memory: the slow log is kept as it
 * is answered, the oldest goes first; what was asked for belongs to its operation. */
#include "config.h"

#include "master/stacks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "master/control.h"
#include "master/crashes.h"
#include "master/generation.h"
#include "master/operation.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/words.h"

#define KEPT 64      /* of the slow log */
#define ANSWER 4096  /* threads in one answer */

static json_t *slow; /* array, oldest first */
static int64_t last_number;

bool stacks_ask(struct operation *operation, int slot)
{
    bool found = false;

    operation->data = json_pack("{s:[]}", "stacks");
    list_each(g, &master.generations) {
        struct generation *generation = list_entry(g, struct generation, node);

        list_each(w, &generation->workers) {
            struct worker *worker = list_entry(w, struct worker, node);

            if (generation->check || worker->state == WORKER_STARTED ||
                (slot >= 0 && worker->slot_index != slot))
                continue;
            found = true;
            worker_await_ack(worker, operation);
            worker_tell(worker, MSG_STACKS, operation->number, 0, -1, NULL);
        }
    }
    return found;
}

static json_t *stack_json(const struct worker *worker, const struct words_record *record)
{
    struct words_area *words = crashes_read_words(worker);
    json_t *stack = json_pack("{s:I,s:I,s:i,s:i}", "time", (json_int_t)time(NULL), "generation",
                              (json_int_t)worker->generation->number, "slot", worker->slot_index,
                              "pid", (int)worker->pid);

    if (stack && words) {
        crashes_add_words(stack, words, record);
        json_object_del(stack, "signal_code");
        json_object_del(stack, "complete");
    }
    free(words);
    return stack;
}

static void keep_slow(json_t *stack, int ran_ms)
{
    json_object_set_new(stack, "number", json_integer(++last_number));
    json_object_set_new(stack, "ran_ms", json_integer(ran_ms));
    if (!slow)
        slow = json_array();
    json_array_append_new(slow, stack);
    if (json_array_size(slow) > KEPT)
        json_array_remove(slow, 0);
    control_slow(stack);
}

void stacks_hear(const struct worker *worker, const struct msg *msg)
{
    struct operation *operation = msg->op ? operation_find(msg->op) : NULL;
    json_t *list = operation ? json_object_get(operation->data, "stacks") : NULL;
    struct words_record record;
    json_t *stack;

    if (msg->length != sizeof(record) ||
        (msg->op && (!list || json_array_size(list) >= ANSWER)))
        return; /* it has come too late, or is nonsense */
    memcpy(&record, msg->text, sizeof(record));
    stack = stack_json(worker, &record);
    if (!stack)
        return;
    if (list)
        json_array_append_new(list, stack);
    else
        keep_slow(stack, msg->value);
}

json_t *stacks_slow(void)
{
    if (!slow)
        slow = json_array();
    return json_pack("{s:O}", "slow", slow);
}

unsigned stacks_forget(void)
{
    unsigned count = (unsigned)json_array_size(slow);

    json_array_clear(slow);
    return count;
}

json_t *stacks_slow_put(void)
{
    return json_pack("{s:I,s:o}", "last", (json_int_t)last_number, "kept",
                     slow ? json_incref(slow) : json_array());
}

void stacks_slow_restore(const json_t *object)
{
    const json_t *list = json_object_get(object, "kept");

    last_number = json_integer_value(json_object_get(object, "last"));
    slow = json_is_array(list) ? json_deep_copy(list) : json_array();
}
