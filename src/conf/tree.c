/* What libconfuse found -> our own tree of sections, with every value converted and every default
 * filled in. Goes on after a wrong value, so that one run shows all of them. The thread that
 * parses; memory of the conf. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "conf/tree.h"

/* Reads one value; a wrong one becomes a line in conf->errors. */
static void read_text(struct conf *conf, const reeve_option *o, const char *text,
                      struct value *value)
{
    struct buf sentence = {0};
    if (!value_read(conf, o, text, value, &sentence))
        conf_complain(conf, conf->errors, value->said, o->name, "%s", buf_text(&sentence));
    buf_free(&sentence);
}

static bool make_list(struct conf *conf, cfg_opt_t *opt, struct value *value)
{
    value->count = cfg_opt_size(opt);
    value->items = conf_alloc(conf, value->count * sizeof(char *));
    for (size_t i = 0; value->items && i < value->count; i++) {
        value->items[i] = conf_strdup(conf, cfg_opt_getnstr(opt, (unsigned)i));
        if (!value->items[i])
            return false;
    }
    return value->items;
}

/* A section that is not written has all defaults, and is said where its parent is. */
static bool make_section(struct conf *conf, const reeve_option *o, cfg_opt_t *opt,
                         struct value *value, struct said parent)
{
    size_t count = opt ? cfg_opt_size(opt) : 0;
    cfg_t *first = count > 0 ? cfg_opt_getnsec(opt, 0) : NULL;
    struct said said = parent;
    value->count = 1;
    value->sections = conf_alloc(conf, sizeof(*value->sections));
    if (!value->sections)
        return false;
    if (first)
        said = value->said = (struct said){BY_FILE, table_section_line(first), NULL};
    for (size_t i = 1; i < count; i++) {
        struct said again = {BY_FILE, table_section_line(cfg_opt_getnsec(opt, (unsigned)i)), NULL};
        conf_complain(conf, conf->errors, again, o->name,
                      "is written twice, first on line %d; join the two", said.line);
    }
    value->sections[0] = tree_make(conf, o->name, NULL, o->options, first, said);
    return value->sections[0];
}

static bool make_sections(struct conf *conf, const reeve_option *o, cfg_opt_t *opt,
                          struct value *value)
{
    value->count = opt ? cfg_opt_size(opt) : 0;
    value->sections = conf_alloc(conf, value->count * sizeof(*value->sections));
    for (size_t i = 0; value->sections && i < value->count; i++) {
        cfg_t *cfg = cfg_opt_getnsec(opt, (unsigned)i);
        struct said said = {BY_FILE, table_section_line(cfg), NULL};
        value->sections[i] = tree_make(conf, o->name, cfg_title(cfg), o->options, cfg, said);
        if (!value->sections[i])
            return false;
        value->said = said;
    }
    return value->sections;
}

static void complain_handlers(struct conf *conf, const reeve_section *section,
                              const reeve_option *o)
{
    struct buf names = {0}, place = {0};
    size_t at = 0;
    const reeve_module *module;
    conf_put_section(&place, section->name, section->title);
    while ((module = table_handler(conf, o, &at)))
        buf_printf(&names, "%s%s", names.length > 0 ? ", " : "", module->name);
    if (names.length > 0)
        conf_complain(conf, conf->errors, section->said, buf_text(&place),
                      "has no handler; write the section of one of these in it: %s",
                      buf_text(&names));
    else
        conf_complain(conf, conf->errors, section->said, buf_text(&place),
                      "has no handler, and no module for %s has one; add one to modules, such as "
                      "\"static\"", o->choices);
    buf_free(&names);
    buf_free(&place);
}

static void complain_second(struct conf *conf, const reeve_section *section, struct said said,
                            const char *first, const char *second)
{
    struct buf place = {0};
    conf_put_section(&place, section->name, section->title);
    conf_complain(conf, conf->errors, said, buf_text(&place),
                  "has two handlers, %s and %s; keep one of them", first, second);
    buf_free(&place);
}

/* The sections of one handler in the place of a handler; `value` holds the first that was found. */
static bool take_handler(struct conf *conf, const reeve_section *section, cfg_opt_t *opt,
                         const reeve_module *module, struct value *value)
{
    for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
        cfg_t *inside = cfg_opt_getnsec(opt, i);
        struct said said = {BY_FILE, table_section_line(inside), NULL};
        if (value->count > 0) {
            complain_second(conf, section, said, value->sections[0]->name, module->name);
            continue;
        }
        value->said = said;
        value->count = 1;
        value->sections[0] = tree_make(conf, module->name, NULL, module->options, inside, said);
        if (!value->sections[0])
            return false;
        value->sections[0]->handler = module;
    }
    return true;
}

/* Exactly one handler's section must stand here. */
static bool make_handler(struct conf *conf, const reeve_section *section, const reeve_option *o,
                         cfg_t *cfg, struct value *value)
{
    size_t at = 0;
    const reeve_module *module;
    value->sections = conf_alloc(conf, sizeof(*value->sections));
    if (!value->sections)
        return false;
    while ((module = table_handler(conf, o, &at))) {
        cfg_opt_t *opt = table_find(cfg, module->name);
        if (opt && !take_handler(conf, section, opt, module, value))
            return false;
    }
    if (value->count == 0)
        complain_handlers(conf, section, o);
    return true;
}

static bool make_value(struct conf *conf, reeve_section *section, const reeve_option *o, cfg_t *cfg,
                       struct value *value)
{
    cfg_opt_t *opt = cfg && o->type != REEVE_OPT_HANDLER ? table_find(cfg, o->name) : NULL;
    if (o->type == REEVE_OPT_SECTION)
        return make_section(conf, o, opt, value, section->said);
    if (o->type == REEVE_OPT_SECTIONS)
        return make_sections(conf, o, opt, value);
    if (o->type == REEVE_OPT_HANDLER)
        return !cfg || make_handler(conf, section, o, cfg, value);
    if (!opt || !table_was_set(opt)) {
        read_text(conf, o, o->fallback ? o->fallback : o->type == REEVE_OPT_BOOL ? "false" : "",
                  value);
        return true;
    }
    value->said = (struct said){BY_FILE, table_line(opt), NULL};
    if (o->type == REEVE_OPT_LIST)
        return make_list(conf, opt, value);
    read_text(conf, o, cfg_opt_getnstr(opt, 0), value);
    return true;
}

reeve_section *tree_make(struct conf *conf, const char *name, const char *title,
                         const reeve_option *options, cfg_t *cfg, struct said said)
{
    size_t count = option_count(options);
    reeve_section *section = conf_alloc(conf, sizeof(*section));
    struct value *values = conf_alloc(conf, count * sizeof(*values));
    char *copy = conf_strdup(conf, title ? title : "");
    if (!section || !values || !copy)
        return NULL;
    *section = (reeve_section){.conf = conf, .name = name, .title = title ? copy : NULL,
                               .said = said, .options = options, .values = values};
    for (size_t i = 0; i < count; i++)
        if (!make_value(conf, section, &options[i], cfg, &section->values[i]))
            return NULL;
    return section;
}
