/* Texts of other processes; see clean.h.
 *
 * Master. What stands on the board may be written while it is read, so it is copied before it is
 * looked at. */
#include "config.h"

#include "master/clean.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

void clean_put(struct buf *out, const char *text, size_t room)
{
    struct buf copy = {0};

    buf_add(&copy, text, strnlen(text, room));
    text_put_safe(out, buf_text(&copy), copy.length);
    buf_free(&copy);
}

json_t *clean_json(const char *text, size_t room)
{
    struct buf out = {0};
    json_t *value;

    clean_put(&out, text, room);
    value = json_string(buf_text(&out));
    buf_free(&out);
    return value;
}
