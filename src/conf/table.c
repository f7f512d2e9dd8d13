/* Option tables in libconfuse's form, and what it put into them. The thread that parses; a table is
 * the caller's, until table_free().
 *
 * Every value is a text for libconfuse and is converted by value.c, so that all messages are alike.
 * Two hidden options mark the begin and the end of a section's defaults, for the callbacks in
 * confuse.c; the first also gets the line on which the section begins. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/tree.h"
#include "reeve/http.h"

#define DEPTH_MAX 12 /* a table that holds itself ends here */
/* No file can say these names: skim() lets only letters and digits through. */
#define BEGIN "|begin"
#define END "|end"

size_t option_count(const reeve_option *options)
{
    size_t count = 0;
    while (options && options[count].type != REEVE_OPT_END)
        count++;
    return count;
}

const reeve_option *option_find(const reeve_option *options, const char *name)
{
    for (size_t i = 0, n = option_count(options); i < n; i++)
        if (options[i].name && strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

const reeve_module *table_handler(const struct conf *conf, const reeve_option *option, size_t *at)
{
    while (*at < conf->module_count) {
        const reeve_module *module = conf->modules[(*at)++];
        if (module->kind == REEVE_HANDLER && option->choices &&
            strcmp(module->handler->protocol, option->choices) == 0)
            return module;
    }
    return NULL;
}

/* ---- making tables */

/* "a,b" -> { "a", "b" }, for libconfuse to append to. */
static char *list_default(const char *fallback)
{
    struct buf text = {0};
    buf_adds(&text, "{\"");
    for (; *fallback; fallback++) {
        if (*fallback == ',')
            buf_adds(&text, "\",\"");
        else
            buf_addc(&text, *fallback);
    }
    buf_adds(&text, "\"}");
    if (text.failed)
        buf_free(&text);
    return text.length > 0 ? buf_take(&text) : NULL;
}

static bool make_list(cfg_opt_t *opt, const char *fallback)
{
    opt->flags = CFGF_LIST;
    if (!fallback || !*fallback) {
        opt->flags |= CFGF_NODEFAULT;
        return true;
    }
    opt->def.parsed = list_default(fallback);
    return opt->def.parsed;
}

static cfg_opt_t *make(const struct conf *conf, const reeve_option *options, int depth);

static bool make_section(const struct conf *conf, cfg_opt_t *opt, const char *name,
                         const reeve_option *inside, cfg_flag_t flags, int depth)
{
    opt->name = name;
    opt->type = CFGT_SEC;
    opt->flags = CFGF_NODEFAULT | CFGF_MULTI | flags;
    opt->subopts = make(conf, inside, depth + 1);
    return opt->subopts;
}

/* How many elements an option becomes: a handler's place becomes one for each handler. */
static size_t width(const struct conf *conf, const reeve_option *option)
{
    size_t at = 0, count = 0;
    if (option->type != REEVE_OPT_HANDLER)
        return 1;
    while (table_handler(conf, option, &at))
        count++;
    return count;
}

static bool make_option(const struct conf *conf, cfg_opt_t *opt, const reeve_option *o, int depth)
{
    size_t at = 0;
    const reeve_module *module;
    switch (o->type) {
    case REEVE_OPT_SECTION:
        return make_section(conf, opt, o->name, o->options, 0, depth);
    case REEVE_OPT_SECTIONS:
        return make_section(conf, opt, o->name, o->options, CFGF_TITLE | CFGF_NO_TITLE_DUPES,
                            depth);
    case REEVE_OPT_HANDLER:
        while ((module = table_handler(conf, o, &at)))
            if (!make_section(conf, opt++, module->name, module->options, 0, depth))
                return false;
        return true;
    case REEVE_OPT_LIST:
        if (!make_list(opt, o->fallback))
            return false;
        break;
    case REEVE_OPT_END:
    case REEVE_OPT_BOOL:
    case REEVE_OPT_INT:
    case REEVE_OPT_SIZE:
    case REEVE_OPT_DURATION:
    case REEVE_OPT_STRING:
    case REEVE_OPT_PATH:
    case REEVE_OPT_ENUM:
    case REEVE_OPT_MODE:
        opt->flags = CFGF_NODEFAULT;
        break;
    }
    opt->name = o->name;
    opt->type = CFGT_STR;
    opt->parsecb = confuse_value;
    return true;
}

static bool make_mark(cfg_opt_t *opt, const char *name, cfg_callback_t callback)
{
    opt->name = name;
    opt->type = CFGT_STR;
    opt->def.parsed = strdup("x");
    opt->parsecb = callback;
    return opt->def.parsed;
}

static cfg_opt_t *make(const struct conf *conf, const reeve_option *options, int depth)
{
    size_t count = depth < DEPTH_MAX ? option_count(options) : 0, places = 3;
    for (size_t i = 0; i < count; i++)
        places += width(conf, &options[i]);
    cfg_opt_t *table = calloc(places, sizeof(*table)), *opt = table;
    bool good = table && make_mark(opt++, BEGIN, confuse_begin);
    for (size_t i = 0; good && i < count; i++) {
        good = make_option(conf, opt, &options[i], depth);
        opt += width(conf, &options[i]);
    }
    if (!good || !make_mark(opt, END, confuse_end)) {
        table_free(table);
        return NULL;
    }
    return table;
}

cfg_opt_t *table_make(const struct conf *conf, const reeve_option *options)
{
    return make(conf, options, 0);
}

void table_free(cfg_opt_t *table)
{
    for (cfg_opt_t *opt = table; opt && opt->name; opt++) {
        table_free(opt->subopts);
        free(opt->def.parsed);
    }
    free(table);
}

/* ---- reading what libconfuse found */

/* Not cfg_getopt(): that reads "|" and "=" in a name as a path, and reports. */
cfg_opt_t *table_find(cfg_t *section, const char *name)
{
    for (cfg_opt_t *opt = section->opts; opt->name; opt++)
        if (strcmp(opt->name, name) == 0)
            return opt;
    return NULL;
}

bool table_was_set(const cfg_opt_t *opt)
{
    return opt->flags & CFGF_MODIFIED;
}

int table_line(const cfg_opt_t *opt)
{
    return (int)opt->def.number;
}

int table_section_line(cfg_t *section)
{
    return (int)table_find(section, BEGIN)->def.number;
}
