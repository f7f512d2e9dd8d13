/* What is told of a suspect; see suspect.h.
 *
 * Master. The texts come from a worker that had lost its mind: what people read of them is cleaned,
 * workers and the next program get the bytes as they are. Memory: the caller's. */
#include "config.h"

#include "master/suspect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "master/carry.h"
#include "master/clean.h"
#include "master/state.h"
#include "master/workers.h"

int64_t suspect_left(const struct suspect *suspect, int64_t now)
{
    return suspect->until > now ? (suspect->until - now + 999) / 1000 : 0;
}

/* "request GET /x?y of module m", as people read it. */
static void put_name(struct buf *out, const struct suspect *suspect)
{
    if (!suspect->print) {
        buf_printf(out, "module %s", suspect->module);
        return;
    }
    buf_adds(out, "request ");
    clean_put(out, suspect->method, sizeof(suspect->method));
    buf_addc(out, ' ');
    clean_put(out, suspect->target, sizeof(suspect->target));
    buf_printf(out, " of module %s", suspect->module);
}

void suspect_announce(const struct suspect *suspect, enum log_tag tag, const char *what)
{
    struct buf text = {0};

    put_name(&text, suspect);
    say(tag, "%s %s", buf_text(&text), what);
    buf_free(&text);
}

void suspect_tell(const struct suspect *suspect, struct worker *worker, int64_t now)
{
    struct buf text = {0};

    buf_printf(&text, "%016" PRIx64 " %s %s %s", suspect->print, suspect->module, suspect->method,
               suspect->target);
    worker_tell(worker, MSG_QUARANTINE, 0, (int)suspect_left(suspect, now), -1, buf_text(&text));
    buf_free(&text);
}

#define CLEAN(field) clean_json((field), sizeof(field))

json_t *suspect_json(const struct suspect *suspect, int64_t now)
{
    return json_pack("{s:s,s:o,s:o,s:o,s:i,s:I}", "kind", suspect->print ? "request" : "module",
                     "module", CLEAN(suspect->module), "method", CLEAN(suspect->method), "target",
                     CLEAN(suspect->target), "crashes", (int)suspect->crashes, "seconds_left",
                     (json_int_t)suspect_left(suspect, now));
}

static json_t *text_put(const char *text)
{
    return carry_bytes(text, strlen(text));
}

json_t *suspect_put(const struct suspect *suspect)
{
    return json_pack("{s:I,s:o,s:o,s:o,s:I}", "print", (json_int_t)suspect->print, "module",
                     text_put(suspect->module), "method", text_put(suspect->method), "target",
                     text_put(suspect->target), "until", (json_int_t)suspect->until);
}

static void text_restore(const json_t *object, const char *name, char *text, size_t room)
{
    size_t length;
    char *bytes = carry_bytes_take(json_object_get(object, name), &length);

    if (bytes && length < room)
        memcpy(text, bytes, length + 1);
    free(bytes);
}

void suspect_restore(struct suspect *suspect, const json_t *object)
{
    *suspect = (struct suspect){
        .print = (uint64_t)json_integer_value(json_object_get(object, "print")),
        .until = json_integer_value(json_object_get(object, "until")),
    };
    text_restore(object, "module", suspect->module, sizeof(suspect->module));
    text_restore(object, "method", suspect->method, sizeof(suspect->method));
    text_restore(object, "target", suspect->target, sizeof(suspect->target));
    if (!suspect->module[0])
        *suspect = (struct suspect){0};
}
