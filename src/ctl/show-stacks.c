/* Stacks for people: of all threads, and of those that handlers have kept for too long. Threads
 * that have nothing in hand and wait in the same place, as most do, share one stack. reevectl, one
 * thread. */
#include "config.h"

#include <stdlib.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"

#define NAMES_MAX 16 /* of the threads of one worker that are named */

enum { DONE, IDLE, ALIKE }; /* of a stack: shown or to be shown alone, ..., in the group at hand */

static void put_words(struct buf *out, const char *before, const char *text)
{
    if (!*text)
        return;
    buf_adds(out, before);
    show_text(out, text);
}

/* "  request GET /x, module m, route /r of site s, client c" */
static void put_request(struct buf *out, const json_t *stack)
{
    if (!*json_text(stack, "target") && !*json_text(stack, "label"))
        return;
    buf_adds(out, "  request");
    if (*json_text(stack, "target")) {
        put_words(out, " ", json_text(stack, "method"));
        put_words(out, " ", json_text(stack, "target"));
    } else {
        put_words(out, " ", json_text(stack, "label"));
    }
    put_words(out, ", module ", json_text(stack, "module"));
    put_words(out, ", route ", json_text(stack, "route"));
    put_words(out, " of site ", json_text(stack, "site"));
    put_words(out, ", client ", json_text(stack, "peer"));
    buf_addc(out, '\n');
}

static void put_frames(struct buf *out, const json_t *stack)
{
    const json_t *frame;
    size_t i;

    if (json_array_size(json_object_get(stack, "frames")) == 0)
        buf_adds(out, "  it did not say where it was\n");
    json_array_foreach(json_object_get(stack, "frames"), i, frame)
        show_frame(out, i, frame);
}

static void put_stack(struct buf *out, const json_t *stack, bool colours)
{
    struct buf name = {0};

    buf_printf(&name, "worker %lld (pid %lld), thread ", (long long)json_int(stack, "slot"),
               (long long)json_int(stack, "pid"));
    show_text(&name, json_text(stack, "thread_name"));
    colour_put(out, BOLD, colours, buf_text(&name));
    buf_free(&name);
    if (json_object_get(stack, "ran_ms")) {
        buf_printf(out, ", had run for %.3f s on ", json_number(stack, "ran_ms") / 1000);
        show_time(out, stack);
    }
    buf_addc(out, '\n');
    put_request(out, stack);
    put_frames(out, stack);
}

/* Of `slow` (ran_ms) each has its own line. */
static bool is_idle(const json_t *stack)
{
    return !*json_text(stack, "target") && !*json_text(stack, "label") &&
           !json_object_get(stack, "ran_ms");
}

/* Of the idle ones that are not done yet, those that are where this one is; how many. */
static size_t mark_alike(const json_t *list, size_t first, char *state)
{
    const json_t *frames = json_object_get(json_array_get(list, first), "frames");
    size_t count = 0;

    for (size_t i = first; i < json_array_size(list); i++)
        if (state[i] == IDLE &&
            json_equal(frames, json_object_get(json_array_get(list, i), "frames"))) {
            state[i] = ALIKE;
            count++;
        }
    return count;
}

/* "  worker 0 (pid 12): pool-1, pool-2, ..., 4 more" */
static void put_names(struct buf *out, const json_t *list, size_t first, char *state)
{
    const json_t *leader = json_array_get(list, first);
    size_t named = 0;

    buf_printf(out, "  worker %lld (pid %lld):", (long long)json_int(leader, "slot"),
               (long long)json_int(leader, "pid"));
    for (size_t i = first; i < json_array_size(list); i++) {
        const json_t *stack = json_array_get(list, i);

        if (state[i] != ALIKE || json_int(stack, "pid") != json_int(leader, "pid"))
            continue;
        state[i] = DONE;
        if (named++ < NAMES_MAX)
            put_words(out, named == 1 ? " " : ", ", json_text(stack, "thread_name"));
    }
    if (named > NAMES_MAX)
        buf_printf(out, ", %zu more", named - NAMES_MAX);
    buf_addc(out, '\n');
}

static void put_alike(struct buf *out, const json_t *list, size_t first, char *state, bool colours)
{
    size_t count = mark_alike(list, first, state);
    struct buf name = {0};

    if (count == 1) {
        state[first] = DONE;
        put_stack(out, json_array_get(list, first), colours);
        return;
    }
    buf_printf(&name, "%zu threads with nothing in hand, all here", count);
    colour_put(out, BOLD, colours, buf_text(&name));
    buf_addc(out, '\n');
    buf_free(&name);
    for (size_t i = first; i < json_array_size(list); i++)
        if (state[i] == ALIKE)
            put_names(out, list, i, state);
    put_frames(out, json_array_get(list, first));
}

/* Who has something in hand comes first: that is what one looks for. */
void show_stacks(const json_t *list, bool colours, struct buf *out)
{
    size_t count = json_array_size(list);
    char *state = calloc(count ? count : 1, 1);

    if (!state)
        return;
    if (count == 0)
        buf_adds(out, "none\n");
    for (size_t i = 0; i < count; i++) {
        const json_t *stack = json_array_get(list, i);

        if (is_idle(stack))
            state[i] = IDLE;
        else
            put_stack(out, stack, colours);
    }
    for (size_t i = 0; i < count; i++)
        if (state[i] == IDLE)
            put_alike(out, list, i, state, colours);
    free(state);
}
