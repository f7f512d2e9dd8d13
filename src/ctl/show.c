/* Answers for people: chooses how a result is shown. What all kinds of them share is in show-text.c.
 * reevectl, one thread. Everything that came over the socket passes text_put_safe(). */
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

void show_result(enum verb verb, const json_t *result, bool colours, struct buf *out)
{
    const json_t *data = json_object_get(result, "data");
    bool done = json_int(result, "code") == CONTROL_DONE;

    if (done && verb == VERB_STATUS)
        show_status(data, NULL, colours, out);
    else if (done && verb == VERB_GENERATIONS)
        show_generations(data, colours, out);
    else if (done && verb == VERB_LISTENERS)
        show_listeners(data, colours, out);
    else if (done && verb == VERB_MODULES)
        show_modules(data, colours, out);
    else if (done && verb == VERB_VERSION)
        show_version(data, out);
    else if (done && verb == VERB_CRASHES && json_is_object(data))
        show_crashes(data, colours, out);
    else if (done && verb == VERB_STACKS)
        show_stacks(json_object_get(data, "stacks"), colours, out);
    else if (done && verb == VERB_SLOW && json_is_object(data))
        show_stacks(json_object_get(data, "slow"), colours, out);
    else if (done && verb == VERB_QUARANTINE && json_is_object(data))
        show_quarantine(data, colours, out);
    else if (*json_text(result, "text"))
        show_lines(out, json_text(result, "text"));
    else
        show_lines(out, show_code_name(json_int(result, "code")));
}
