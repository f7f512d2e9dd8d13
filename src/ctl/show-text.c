/* Answers for people: what all kinds of them share. reevectl, one thread. Everything that came over
 * the socket passes text_put_safe(). */
#include "config.h"

#include <string.h>

#include "base/text.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"

void show_text(struct buf *out, const char *text)
{
    text_put_safe(out, text, strlen(text));
}

void show_lines(struct buf *out, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        text_put_safe(out, text, length);
        buf_addc(out, '\n');
        text += length + (text[length] == '\n');
    }
}

const char *show_code_name(int64_t code)
{
    static const char *const names[] = {
        [CONTROL_DONE] = "done",
        [CONTROL_REFUSED] = "refused",
        [CONTROL_TIMED_OUT] = "timed out",
        [CONTROL_ROLLED_BACK] = "rolled back",
    };

    return code >= 0 && code <= CONTROL_ROLLED_BACK ? names[code] : "?";
}

void show_state_cell(struct table *table, const char *state)
{
    static const struct {
        const char *state;
        enum colour colour;
    } known[] = {
        {"ready", GREEN},     {"serving", GREEN},  {"started", YELLOW},  {"probing", YELLOW},
        {"filling", YELLOW},  {"starting", YELLOW}, {"reloading", YELLOW}, {"draining", YELLOW},
        {"retiring", YELLOW}, {"stopping", YELLOW}, {"probation", YELLOW}, {"warm", YELLOW},
        {"failed", RED},
    };
    enum colour colour = PLAIN;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].state, state) == 0)
            colour = known[i].colour;
    table_cell(table, colour, "%s", state);
}

/* "12 reload: done: generation 3 serves"; of several lines the first. */
void show_operation(const json_t *operation, bool colours, struct buf *out)
{
    const char *text = json_text(operation, "text");
    int64_t code = json_int(operation, "code");

    buf_printf(out, "%lld ", (long long)json_int(operation, "operation"));
    show_text(out, json_text(operation, "verb"));
    buf_adds(out, ": ");
    colour_put(out, code == CONTROL_DONE ? GREEN : RED, colours, show_code_name(code));
    if (*text)
        buf_adds(out, ": ");
    text_put_safe(out, text, strcspn(text, "\n"));
}
