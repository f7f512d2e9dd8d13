/* Answers for people: chooses how a result is shown. What all kinds of them share is in
 * show-text.c. reevectl, one thread. Everything that came over the socket passes
 * text_put_safe(). */
#include "config.h"

#include "ctl/show.h"

#include <string.h>

#include "ctl/table.h"
#include "ctl/talk.h"

void show_event(const json_t *event, bool colours, struct buf *out)
{
    struct buf tag = {0};

    show_text(&tag, json_text(event, "tag"));
    show_text(out, json_text(event, "time"));
    buf_addc(out, ' ');
    colour_put(out, BOLD, colours, buf_text(&tag));
    buf_adds(out, ": ");
    show_text(out, json_text(event, "text"));
    buf_addc(out, '\n');
    buf_free(&tag);
}

void show_step(const json_t *event, struct buf *out)
{
    const char *tag = json_text(event, "tag");

    if (strcmp(tag, "operation") == 0 || strcmp(tag, "configuration-error") == 0 ||
        strcmp(tag, "upgrade-failed") == 0)
        return; /* the result says it too */
    buf_adds(out, "  ");
    show_text(out, json_text(event, "text"));
    buf_addc(out, '\n');
}

static void show_status_once(const json_t *data, bool colours, struct buf *out)
{
    show_status(data, NULL, colours, out);
}

static void show_stacks_now(const json_t *data, bool colours, struct buf *out)
{
    show_stacks(json_object_get(data, "stacks"), colours, out);
}

static void show_slow(const json_t *data, bool colours, struct buf *out)
{
    show_stacks(json_object_get(data, "slow"), colours, out);
}

/* Verbs that ask, and how their data is shown; what all others answer is a text. */
static void (*const shows[VERBS])(const json_t *data, bool colours, struct buf *out) = {
    [VERB_STATUS] = show_status_once,
    [VERB_GENERATIONS] = show_generations,
    [VERB_LISTENERS] = show_listeners,
    [VERB_MODULES] = show_modules,
    [VERB_VERSION] = show_version,
    [VERB_CRASHES] = show_crashes,
    [VERB_STACKS] = show_stacks_now,
    [VERB_SLOW] = show_slow,
    [VERB_QUARANTINE] = show_quarantine,
};

bool show_has_data(enum verb verb, const json_t *result)
{
    return shows[verb] && json_int(result, "code") == CONTROL_DONE &&
           json_is_object(json_object_get(result, "data"));
}

void show_result(enum verb verb, const json_t *result, bool colours, struct buf *out)
{
    if (show_has_data(verb, result))
        shows[verb](json_object_get(result, "data"), colours, out);
    else if (*json_text(result, "text"))
        show_lines(out, json_text(result, "text"));
    else
        show_lines(out, show_code_name(json_int(result, "code")));
}
