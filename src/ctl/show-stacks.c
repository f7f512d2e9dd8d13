/* Stacks for people: of all threads, and of those that handlers have kept for too long. reevectl,
 * one thread. */
#include "config.h"

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"

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

static void put_stack(struct buf *out, const json_t *stack, bool colours)
{
    const json_t *frame;
    struct buf name = {0};
    size_t i;

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
    if (json_array_size(json_object_get(stack, "frames")) == 0)
        buf_adds(out, "  it did not say where it was\n");
    json_array_foreach(json_object_get(stack, "frames"), i, frame)
        show_frame(out, i, frame);
}

void show_stacks(const json_t *list, bool colours, struct buf *out)
{
    const json_t *stack;
    size_t i;

    if (json_array_size(list) == 0)
        buf_adds(out, "none\n");
    json_array_foreach(list, i, stack)
        put_stack(out, stack, colours);
}
