/* The option part of reeve.conf(5), from the option tables alone. Run when the tree is built. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "conf/tree.h"
#include "reeve/http.h"

#define DEPTH_MAX 12 /* as in table.c: a table that holds itself ends here */

static const char *const type_names[] = {
    [REEVE_OPT_END] = "",
    [REEVE_OPT_BOOL] = "true or false",
    [REEVE_OPT_INT] = "number",
    [REEVE_OPT_SIZE] = "size",
    [REEVE_OPT_DURATION] = "time",
    [REEVE_OPT_STRING] = "text",
    [REEVE_OPT_PATH] = "path",
    [REEVE_OPT_ENUM] = "one of",
    [REEVE_OPT_MODE] = "permissions",
    [REEVE_OPT_LIST] = "list",
    [REEVE_OPT_SECTION] = "section",
    [REEVE_OPT_SECTIONS] = "sections",
    [REEVE_OPT_HANDLER] = "handler",
};

#define UNLIMITED (INT64_C(1) << 50) /* a bound so high that nobody needs to read it */

/* Text that troff must not take for its own. */
static void put(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '\n') /* of a default: as one writes it */
            fputs("\\en", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void put_number(FILE *out, enum reeve_option_type type, int64_t number)
{
    struct buf text = {0};
    if (type == REEVE_OPT_SIZE)
        text_put_size(&text, number);
    else if (type == REEVE_OPT_DURATION)
        text_put_duration(&text, number);
    else
        buf_printf(&text, "%" PRId64, number);
    put(out, buf_text(&text));
    buf_free(&text);
}

/* With spaces behind the commas, where a line may end. */
static void put_list(FILE *out, const char *items)
{
    struct buf text = {0};
    for (; *items; items++) {
        buf_addc(&text, *items);
        if (*items == ',')
            buf_addc(&text, ' ');
    }
    put(out, buf_text(&text));
    buf_free(&text);
}

/* "(number, 1 to 65535, default 4096)" */
static void put_facts(FILE *out, const reeve_option *o)
{
    fprintf(out, " (%s", type_names[o->type]);
    if (o->type == REEVE_OPT_PATH && o->choices)
        fputs(", or", out);
    for (const char *c = o->type != REEVE_OPT_HANDLER && o->choices ? o->choices : ""; *c;) {
        size_t length = strcspn(c, "|");
        fprintf(out, " \\fB%.*s\\fR%s", (int)length, c, c[length] ? "," : "");
        c += length + (c[length] != '\0');
    }
    if (o->min != 0 || o->max != 0) {
        fputs(", ", out);
        put_number(out, o->type, o->min);
        if (o->max >= UNLIMITED) {
            fputs(" or more", out);
        } else {
            fputs(" to ", out);
            put_number(out, o->type, o->max);
        }
    }
    if (o->fallback && *o->fallback) {
        fputs(", default ", out);
        (o->type == REEVE_OPT_LIST ? put_list : put)(out, o->fallback);
    }
    fputs(")\n", out);
}

static void put_option(FILE *out, const reeve_option *o, int depth);

static void put_options(FILE *out, const reeve_option *options, int depth)
{
    for (size_t i = 0, n = depth < DEPTH_MAX ? option_count(options) : 0; i < n; i++)
        put_option(out, &options[i], depth);
}

static void put_option(FILE *out, const reeve_option *o, int depth)
{
    bool section = o->type == REEVE_OPT_SECTION || o->type == REEVE_OPT_SECTIONS;
    fputs(".TP\n", out);
    if (o->type == REEVE_OPT_HANDLER)
        fprintf(out, "\\fIhandler\\fR { ... }\n");
    else if (section)
        fprintf(out, "\\fB%s\\fR%s { ... }\n", o->name,
                o->type == REEVE_OPT_SECTIONS ? " \"\\fItitle\\fR\"" : "");
    else {
        fprintf(out, "\\fB%s\\fR", o->name);
        put_facts(out, o);
    }
    put(out, o->help ? o->help
                     : o->type == REEVE_OPT_HANDLER ? "The section of exactly one handler." : "");
    fputc('\n', out);
    if (section && o->options && option_count(o->options) > 0) {
        fputs(".RS\n", out);
        put_options(out, o->options, depth + 1);
        fputs(".RE\n", out);
    }
}

void conf_manual(const reeve_module *const *modules, size_t count, FILE *out)
{
    fputs(".SS Core options\n", out);
    put_options(out, core_options, 0);
    for (int handlers = 0; handlers < 2; handlers++) {
        for (size_t i = 0; i < count; i++) {
            const reeve_module *m = modules[i];
            if ((m->kind == REEVE_HANDLER) != (handlers == 1))
                continue;
            fprintf(out, handlers ? ".SS The handler %s\n" : ".SS The protocol %s\n", m->name);
            if (handlers)
                fprintf(out, "Stands where \\fB%s\\fR allows a handler: \\fB%s\\fR { ... }\n",
                        m->handler->protocol, m->name);
            else
                fprintf(out, "Stands at the top of the file: \\fB%s\\fR { ... }\n", m->name);
            if (option_count(m->options) == 0)
                fputs("It has no options.\n", out);
            put_options(out, m->options, 0);
        }
    }
}
