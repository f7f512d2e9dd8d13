/* The effective configuration as text, for `reeved -T`: it can be read again as a file, and each
 * line tells where its value comes from. Sections that nobody wrote are shown as comments, so that
 * reading the output again does not make them written. Main thread of a worker. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/conf.h"
#include "conf/tree.h"
#include "share/snapshot.h"

#define COMMENT_COLUMN 40

struct printer {
    struct buf *out;
    const char *path;
    int depth;
    bool off; /* inside a section that is not there: every line is a comment */
};

/* Text in double quotes, as skim() and libconfuse read it back. */
static void put_text(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\' || (c == '$' && text[1] == '{'))
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '"');
}

static void put_list(struct buf *out, const struct value *value)
{
    buf_addc(out, '{');
    for (size_t i = 0; i < value->count; i++) {
        buf_adds(out, i > 0 ? ", " : " ");
        put_text(out, value->items[i]);
    }
    buf_adds(out, " }");
}

void conf_put_value(struct buf *out, const reeve_option *option, const struct value *value)
{
    switch (option->type) {
    case REEVE_OPT_BOOL:
        buf_adds(out, value->number ? "true" : "false");
        break;
    case REEVE_OPT_INT:
        buf_printf(out, "%" PRId64, value->number);
        break;
    case REEVE_OPT_SIZE:
        text_put_size(out, value->number);
        break;
    case REEVE_OPT_DURATION:
        text_put_duration(out, value->number);
        break;
    case REEVE_OPT_MODE:
        buf_printf(out, "\"%04" PRIo64 "\"", (uint64_t)value->number);
        break;
    case REEVE_OPT_STRING:
    case REEVE_OPT_PATH:
    case REEVE_OPT_ENUM:
        put_text(out, value->string);
        break;
    case REEVE_OPT_LIST:
        put_list(out, value);
        break;
    case REEVE_OPT_END:
    case REEVE_OPT_SECTION:
    case REEVE_OPT_SECTIONS:
    case REEVE_OPT_HANDLER:
        break;
    }
}

static void begin_line(struct printer *p)
{
    if (p->off)
        buf_adds(p->out, "# ");
    for (int i = 0; i < p->depth; i++)
        buf_adds(p->out, "    ");
}

static void put_origin(struct printer *p, size_t line_start, const struct said *said)
{
    size_t width = p->out->length - line_start + 1;
    buf_addc(p->out, ' '); /* two at least, to tell the comment from a value */
    do
        buf_addc(p->out, ' ');
    while (++width < COMMENT_COLUMN && !p->out->failed);
    buf_adds(p->out, "# ");
    if (said->origin == BY_DEFAULT)
        buf_adds(p->out, "default");
    else if (said->origin == BY_OVERRIDE)
        buf_adds(p->out, "-o");
    else if (said->line > 0)
        buf_printf(p->out, "%s:%d", p->path, said->line);
    else
        buf_adds(p->out, p->path);
    buf_addc(p->out, '\n');
}

static void print_options(struct printer *p, const reeve_section *section);

static void print_section(struct printer *p, const reeve_section *section, struct said said)
{
    bool was_off = p->off;
    p->off = p->off || said.origin == BY_DEFAULT;
    size_t start = p->out->length;
    begin_line(p);
    buf_adds(p->out, section->name);
    if (section->title) {
        buf_addc(p->out, ' ');
        put_text(p->out, section->title);
    }
    buf_adds(p->out, " {");
    put_origin(p, start, &said);
    p->depth++;
    print_options(p, section);
    p->depth--;
    begin_line(p);
    buf_adds(p->out, "}\n");
    p->off = was_off;
}

static void print_options(struct printer *p, const reeve_section *section)
{
    for (size_t i = 0, n = option_count(section->options); i < n; i++) {
        const reeve_option *o = &section->options[i];
        const struct value *value = &section->values[i];
        if (o->type == REEVE_OPT_SECTION) {
            print_section(p, value->sections[0], value->said);
        } else if (o->type == REEVE_OPT_SECTIONS || o->type == REEVE_OPT_HANDLER) {
            for (size_t j = 0; j < value->count; j++)
                print_section(p, value->sections[j], value->sections[j]->said);
        } else {
            size_t start = p->out->length;
            begin_line(p);
            buf_printf(p->out, "%s = ", o->name);
            conf_put_value(p->out, o, value);
            put_origin(p, start, &value->said);
        }
    }
}

void conf_print(const struct conf *conf, struct buf *out)
{
    struct printer printer = {.out = out, .path = conf->snapshot->path};
    print_options(&printer, conf->root);
}
