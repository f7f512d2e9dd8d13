/* The past; see past.h.
 *
 * Master. Each entry owns a copy of the bytes of a snapshot, and no descriptor: those of the master
 * do not become more by reloads. */
#include "config.h"

#include "master/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "master/carry.h"
#include "master/generation.h"
#include "master/state.h"
#include "share/snapshot.h"

static struct past {
    uint32_t number;
    int64_t since;             /* CLOCK_REALTIME s: when it began to serve */
    bool bad;
    char *bytes;               /* of the snapshot */
    size_t length;
} past[PAST_KEPT];             /* oldest first */
static int count;

static void add(struct past entry)
{
    if (count == PAST_KEPT) {
        free(past[0].bytes);
        memmove(past, past + 1, sizeof(past) - sizeof(past[0]));
        count--;
    }
    past[count++] = entry;
}

static bool is_of(const struct past *entry, const struct snapshot *snapshot)
{
    return snapshot->map_length == entry->length &&
           memcmp(snapshot->map, entry->bytes, entry->length) == 0;
}

void past_note(const struct generation *generation)
{
    size_t length = generation->snapshot->map_length;
    struct past *newest = count > 0 ? &past[count - 1] : NULL;
    char *bytes;

    if (newest && !newest->bad && is_of(newest, generation->snapshot)) {
        newest->number = generation->number; /* upgrades shall not push the others out */
        return;
    }
    bytes = malloc(length);
    if (!bytes) {
        say(LOG_NO_MEMORY, "the configuration of generation %u is not kept for a rollback",
            generation->number);
        return;
    }
    memcpy(bytes, generation->snapshot->map, length);
    add((struct past){generation->number, clock_time(), false, bytes, length});
}

static struct past *find(uint32_t number)
{
    for (int i = 0; i < count; i++)
        if (past[i].number == number)
            return &past[i];
    return NULL;
}

void past_blame(uint32_t number)
{
    struct past *entry = find(number);

    if (entry)
        entry->bad = true;
}

/* The newest that is not to blame, and is another configuration than the one that serves. */
static const struct past *last_good(void)
{
    for (int i = count - 1; i >= 0; i--)
        if (!past[i].bad && !is_of(&past[i], master.serving->snapshot))
            return &past[i];
    return NULL;
}

static void put_kept(struct buf *out)
{
    for (int i = 0; i < count; i++)
        buf_printf(out, "%s%u", i == 0 ? "" : i == count - 1 ? " and " : ", ", past[i].number);
}

struct snapshot *past_find(uint32_t *number, struct buf *error)
{
    const struct past *entry = *number ? find(*number) : last_good();

    if (entry) {
        *number = entry->number;
        return snapshot_again(entry->bytes, entry->length, error);
    }
    if (*number) {
        buf_printf(error, "the configuration of generation %u is not kept; those of ", *number);
        put_kept(error);
        buf_adds(error, " are");
    } else {
        buf_adds(error, "no other good configuration is kept; 'reevectl rollback GEN' takes one "
                        "that 'reevectl generations' lists");
    }
    return NULL;
}

json_t *past_json(void)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:i,s:I,s:b}", "number", (int)past[i].number,
                                              "since", (json_int_t)past[i].since, "rolled_back",
                                              past[i].bad));
    return list;
}

/* ---------------------------------------------------------------- upgrade ---------- */

json_t *past_put(void)
{
    json_t *list = past_json();

    for (int i = 0; i < count; i++)
        json_object_set_new(json_array_get(list, (size_t)i), "bytes",
                            carry_bytes(past[i].bytes, past[i].length));
    return list;
}

void past_restore(const json_t *list)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry) {
        json_int_t number = json_integer_value(json_object_get(entry, "number"));
        size_t length;
        struct past kept = {
            .number = (uint32_t)number,
            .since = json_integer_value(json_object_get(entry, "since")),
            .bad = json_is_true(json_object_get(entry, "rolled_back")),
            .bytes = carry_bytes_take(json_object_get(entry, "bytes"), &length),
        };

        kept.length = length;
        if (kept.bytes && number > 0 && number <= UINT32_MAX)
            add(kept);
        else
            free(kept.bytes);
    }
}

void past_free(void)
{
    while (count > 0)
        free(past[--count].bytes);
}
