/* The past; see past.h.
 *
 * Master. Each entry owns a snapshot of its own (a descriptor and a mapping of the same memory), so that
 * generations come and go as before. */
#include "config.h"

#include "master/past.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "master/generation.h"
#include "master/state.h"
#include "share/snapshot.h"

static struct past {
    uint32_t number;
    int64_t since;             /* CLOCK_REALTIME s: when it began to serve */
    bool bad;
    struct snapshot *snapshot;
} past[PAST_KEPT];             /* oldest first */
static int count;

static struct snapshot *copy(const struct snapshot *snapshot, struct buf *error)
{
    int fd = fcntl(snapshot->fd, F_DUPFD_CLOEXEC, 3);

    if (fd < 0) {
        buf_printf(error, "a configuration cannot be kept: %s\n", strerror(errno));
        return NULL;
    }
    return snapshot_open(fd, error);
}

void past_note(const struct generation *generation)
{
    struct buf error = {0};
    struct snapshot *snapshot = copy(generation->snapshot, &error);

    if (!snapshot) {
        say(LOG_SYSTEM, "%.*s", (int)strcspn(buf_text(&error), "\n"), buf_text(&error));
        buf_free(&error);
        return;
    }
    if (count == PAST_KEPT) {
        snapshot_free(&past[0].snapshot);
        memmove(past, past + 1, sizeof(past) - sizeof(past[0]));
        count--;
    }
    past[count++] = (struct past){generation->number, clock_time(), false, snapshot};
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
        if (!past[i].bad && !snapshot_same(past[i].snapshot, master.serving->snapshot))
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
        return copy(entry->snapshot, error);
    }
    if (*number) {
        buf_printf(error, "the configuration of generation %u is not kept; those of ", *number);
        put_kept(error);
        buf_adds(error, " are");
    } else {
        buf_adds(error, "no other good configuration is kept; 'reevectl rollback GEN' takes one that "
                        "'reevectl generations' lists");
    }
    return NULL;
}

json_t *past_json(void)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:i,s:I,s:b}", "number", (int)past[i].number, "since",
                                              (json_int_t)past[i].since, "rolled_back",
                                              past[i].bad));
    return list;
}

void past_free(void)
{
    while (count > 0)
        snapshot_free(&past[--count].snapshot);
}
