/* Listeners, generations, slots and workers, put and taken; see estate-workers.h. Master, both
 * images. A member of one of these structures that is to outlive an upgrade needs its row here. */
#include "config.h"

#include "master/estate-workers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "master/carry.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/slot.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/snapshot.h"

static const struct field listener_fields[] = {
    FIELD(TEXT, struct listener, title),     FIELD(TEXT, struct listener, protocol),
    FIELD(TEXT, struct listener, bound),     FIELD(FD, struct listener, fd),
    FIELD(INT, struct listener, backlog),    FIELD(U32, struct listener, mode),
    FIELD(TEXT, struct listener, owner),     FIELD(BOOL, struct listener, inherited),
    FIELD(BOOL, struct listener, waiting),   FIELD(BOOL, struct listener, removed),
    FIELD(FD, struct listener, passage.take), FIELD(FD, struct listener, passage.give),
    FIELDS_END,
};
static const struct field generation_fields[] = {
    FIELD(U32, struct generation, number),   FIELD(I64, struct generation, since),
    FIELD(U64, struct generation, stamp),
    FIELD(I64, struct generation, drain_ms), FIELD(I64, struct generation, deadline.due),
    FIELD(BOOL, struct generation, deadline.set),
    FIELD(TEXT, struct generation, modules), FIELD(TEXT, struct generation, files),
    FIELD(BOOL, struct generation, by_hand),
#define X(name, board, total, each, help) FIELD(U64, struct generation, retired.name),
#include "share/counters.def"
#undef X
    FIELDS_END,
};
static const struct field slot_fields[] = {
    FIELD(INT, struct slot, backoff.failures), FIELD(U64, struct slot, restarts),
    FIELD(I64, struct slot, respawn.due),      FIELD(BOOL, struct slot, respawn.set),
    FIELDS_END,
};
static const struct field worker_fields[] = {
    FIELD(INT, struct worker, pid),          FIELD(INT, struct worker, slot_index),
    FIELD(BOOL, struct worker, serving),
    FIELD(BOOL, struct worker, expected),    FIELD(BOOL, struct worker, refused),
    FIELD(BOOL, struct worker, sick),        FIELD(BOOL, struct worker, loaded),
    FIELD(TEXT, struct worker, why),         FIELD(U32, struct worker, segment),
    FIELD(I64, struct worker, started),      FIELD(I64, struct worker, ready_at),
    FIELD(U64, struct worker, restarts),     FIELD(U32, struct worker, speaks),
    FIELD(FD, struct worker, channel.fd),
    FIELD(I64, struct worker, deadline.due), FIELD(BOOL, struct worker, deadline.set),
#define X(name, board, total, each, help) FIELD(U64, struct worker, counters.name),
#include "share/counters.def"
#undef X
    FIELD(U32, struct worker, draw),         FIELD(I64, struct worker, replace_at),
    FIELD(I64, struct worker, resting_since),
    FIELDS_END,
};
/* What a generation shares with its snapshot, which lives by its descriptor alone. */
static const struct field snapshot_fields[] = {
    FIELD(FD, struct snapshot, fd),
    FIELDS_END,
};
/* A worker's place: see `role` of worker_put(). */
enum role { ROLE_NONE, ROLE_WORKER, ROLE_SUCCESSOR };

static bool board_is_readable = true;

void workers_see_board(bool yes)
{
    board_is_readable = yes;
}

static bool refuse(struct buf *error, const char *sentence)
{
    buf_printf(error, "%s\n", sentence);
    return false;
}

/* The index of a name; -1: there is none such below `count`. */
static int name_take(const json_t *value, int count, const char *(*name_of)(int))
{
    for (int i = 0; json_is_string(value) && i < count; i++)
        if (strcmp(json_string_value(value), name_of(i)) == 0)
            return i;
    return -1;
}

static const char *worker_name(int state)
{
    return worker_state_name((enum worker_state)state);
}

static const char *generation_name(int state)
{
    return generation_state_name((enum generation_state)state);
}

/* ---------------------------------------------------------------- listeners -------- */

json_t *listeners_put(void)
{
    json_t *list = json_array();

    list_each(node, &listeners)
        json_array_append_new(list, fields_put(listener_fields,
                                               list_entry(node, struct listener, node)));
    return list;
}

static bool listener_take(const json_t *object, struct buf *error)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (!listener)
        abort();
    list_append(&listeners, &listener->node);
    listener->fd = -1;
    listener->passage = listener->next = (struct passage){-1, -1};
    if (!fields_take(listener_fields, object, listener, "listener", error))
        return false;
    if (listener->fd < 0 || !listener->title || !listener->protocol || !listener->bound ||
        !listener->owner)
        return refuse(error, "a listener of the state is not complete");
    if (address_parse(listener->title, &listener->address, error))
        return true;
    buf_addc(error, '\n');
    return false;
}

bool listeners_take(const json_t *state, struct buf *error)
{
    const json_t *list = json_object_get(state, "listeners");
    size_t count;

    if (!carry_list(state, "listeners", &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!listener_take(json_array_get(list, i), error))
            return false;
    return true;
}

/* ---------------------------------------------------------------- workers ---------- */

static json_t *worker_put(struct worker *worker)
{
    json_t *object;
    enum role role = ROLE_NONE;

    worker_count(worker);
    object = fields_put(worker_fields, worker);
    if (worker->slot)
        role = worker->slot->successor == worker ? ROLE_SUCCESSOR : ROLE_WORKER;
    json_object_set_new(object, "role", json_integer(role));
    json_object_set_new(object, "state", json_string(worker_state_name(worker->state)));
    return object;
}

static bool place(struct generation *generation, struct worker *worker, json_int_t role,
                  struct buf *error)
{
    struct slot *slot;

    if (role == ROLE_NONE)
        return true;
    if (worker->slot_index < 0 || worker->slot_index >= generation->slot_count)
        return refuse(error, "a worker of the state has a slot that is not there");
    slot = generation->slots[worker->slot_index];
    worker->slot = slot;
    if (role == ROLE_SUCCESSOR && !slot->successor)
        slot->successor = worker;
    else if (role == ROLE_WORKER && !slot->worker)
        slot->worker = worker;
    else
        return refuse(error, "two workers of the state have the same slot");
    return true;
}

static bool worker_take(struct generation *generation, const json_t *object, struct buf *error)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    int state = name_take(json_object_get(object, "state"), WORKER_RETIRING + 1, worker_name);

    if (!worker)
        abort();
    worker->channel.fd = -1;
    if (!fields_take(worker_fields, object, worker, "worker", error))
        return false;
    if (worker->pid <= 1 || worker->channel.fd < 0 || state < 0)
        return refuse(error, "a worker of the state is not complete");
    worker->state = (enum worker_state)state;
    return worker_adopt(worker, generation, board_is_readable, error) &&
           place(generation, worker, json_integer_value(json_object_get(object, "role")), error);
}

/* ---------------------------------------------------------------- generations ------ */

static json_t *generation_put(const struct generation *generation)
{
    json_t *object = fields_put(generation_fields, generation);
    json_t *slots = json_array(), *workers = json_array();

    json_object_update_new(object, json_pack("{s:s,s:b,s:o,s:o,s:o}", "state",
                                             generation_state_name(generation->state), "check",
                                             generation->check != NULL, "snapshot",
                                             fields_put(snapshot_fields, generation->snapshot),
                                             "slots", slots, "workers", workers));
    for (int i = 0; i < generation->slot_count; i++)
        json_array_append_new(slots, fields_put(slot_fields, generation->slots[i]));
    list_each(node, &generation->workers)
        json_array_append_new(workers, worker_put(list_entry(node, struct worker, node)));
    return object;
}

json_t *generations_put(void)
{
    json_t *list = json_array();

    list_each(node, &master.generations)
        json_array_append_new(list, generation_put(list_entry(node, struct generation, node)));
    return list;
}

/* A test of a configuration that has ended but for its process. */
static void was_checked(struct generation *generation, bool works)
{
    (void)generation;
    (void)works;
}

static bool members_take(struct generation *generation, const json_t *object, struct buf *error)
{
    const json_t *slots = json_object_get(object, "slots");
    const json_t *workers = json_object_get(object, "workers");
    size_t slot_count, worker_count;

    if (!carry_list(object, "slots", &slot_count, error) ||
        !carry_list(object, "workers", &worker_count, error))
        return false;
    if (slot_count > SLOTS_MAX)
        return refuse(error, "a generation of the state has too many slots");
    for (size_t i = 0; i < slot_count; i++) {
        struct slot *slot = slot_add(generation);

        if (!fields_take(slot_fields, json_array_get(slots, i), slot, "slot", error))
            return false;
        carry_timer(&slot->respawn);
    }
    for (size_t i = 0; i < worker_count; i++)
        if (!worker_take(generation, json_array_get(workers, i), error))
            return false;
    return true;
}

static struct snapshot *snapshot_take_over(const json_t *object, struct buf *error)
{
    struct snapshot carried = {.fd = -1};

    if (!fields_take(snapshot_fields, json_object_get(object, "snapshot"), &carried, "snapshot",
                     error))
        return NULL;
    return snapshot_open(carry_copy(carried.fd), error); /* which closes it when it fails */
}

static bool generation_take(const json_t *object, struct buf *error)
{
    struct snapshot *snapshot = snapshot_take_over(object, error);
    struct generation *generation = snapshot ? generation_new(snapshot, error) : NULL;
    int state = name_take(json_object_get(object, "state"), GENERATION_STATES, generation_name);

    if (!generation || !fields_take(generation_fields, object, generation, "generation", error))
        return false;
    if (json_is_true(json_object_get(object, "check")))
        generation->check = was_checked;
    carry_timer(&generation->deadline);
    if (state == GENERATION_SERVING && !master.serving)
        master.serving = generation;
    else if (state != GENERATION_DRAINING && state != GENERATION_FAILED)
        return refuse(error, "a generation of the state neither serves, alone, nor ends");
    generation->state = (enum generation_state)state;
    return members_take(generation, object, error);
}

bool generations_take(const json_t *state, struct buf *error)
{
    const json_t *list = json_object_get(state, "generations");
    size_t count;

    if (!carry_list(state, "generations", &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!generation_take(json_array_get(list, i), error))
            return false;
    return master.serving || refuse(error, "no generation of the state serves");
}
