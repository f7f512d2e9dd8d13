/* The bridge to libconfuse: option tables in its form, and its parser with our messages.
 *
 * Every value is a text for libconfuse and is converted by value.c, so that all messages are alike.
 * libconfuse keeps no line of an option; it is put down by the parse callback, in the numeric
 * default, which it does not use for texts. Two hidden options mark the begin and the end of a
 * section's defaults: the first also gets the line on which the section begins. (libconfuse's
 * lexer is one per process: one thread only, as everything that parses here.) */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/tree.h"
#include "reeve/http.h"
#include "share/snapshot.h"

#define DEPTH_MAX 12 /* a table that holds itself ends here */
/* No file can say these names: skim() lets only letters and digits through. */
#define BEGIN "|begin"
#define END "|end"

/* The parse that is going on: libconfuse's callbacks have no argument of ours. */
static struct parse {
    struct conf *conf;
    bool defaults;       /* default values are being set, which have no line */
    char unknown[64];    /* the option that is not known; its section and line */
    cfg_t *unknown_in;
    int unknown_line;
} parse;

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

static int note_begin(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    parse.defaults = true;
    opt->def.number = cfg->line;
    *(const char **)result = value;
    return 0;
}

static int note_end(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    (void)cfg;
    (void)opt;
    parse.defaults = false;
    *(const char **)result = value;
    return 0;
}

static int note_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct said said = {BY_FILE, cfg->line, NULL};
    *(const char **)result = value;
    if (parse.defaults)
        return 0;
    /* The first value of a list comes again only when the list was written a second time. */
    if (opt->def.number != 0 && (!(opt->flags & CFGF_LIST) || opt->nvalues == 1))
        conf_complain(parse.conf, parse.conf->errors, said, opt->name,
                      "is written twice, first on line %ld; remove one of them", opt->def.number);
    if (opt->def.number == 0 || !(opt->flags & CFGF_LIST))
        opt->def.number = cfg->line;
    return 0;
}

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
        opt->flags = CFGF_LIST;
        opt->def.parsed = list_default(o->fallback ? o->fallback : "");
        if (!o->fallback || !*o->fallback) {
            free(opt->def.parsed);
            opt->def.parsed = NULL;
            opt->flags |= CFGF_NODEFAULT;
        } else if (!opt->def.parsed) {
            return false;
        }
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
    opt->parsecb = note_value;
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
    bool good = table && make_mark(opt++, BEGIN, note_begin);
    for (size_t i = 0; good && i < count; i++) {
        good = make_option(conf, opt, &options[i], depth);
        opt += width(conf, &options[i]);
    }
    if (!good || !make_mark(opt, END, note_end)) {
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

/* ---- parsing */

/* libconfuse's messages that can still come up behind skim(), and ours. */
static const struct {
    const char *prefix; /* what stands before the quoted name */
    const char *sentence;
} rewrites[] = {
    {"missing title for section '", "needs a title before \"{\""},
    {"missing opening brace for section '", "is a section; write { ... } after it"},
    {"missing equal sign after option '", "is a value, not a section; write \"=\" after it"},
    {"attempt to append to non-list option '", "is not a list; write \"=\" instead of \"+=\""},
    {"unexpected token '", "stands where a single value should stand; write one value"},
    {"bad escape sequence '", "is no escape; write \\\\ for the sign \\ itself"},
    {"invalid octal number '", "is not a byte; write \\\\ for the sign \\ itself"},
};

/* Sections with a title, so that the place of the first of two can be told. */
static void complain_twice(cfg_t *cfg, const char *title)
{
    struct said said = {BY_FILE, cfg->line, NULL};
    for (cfg_opt_t *opt = cfg->opts; opt->name; opt++) {
        cfg_t *first = opt->type == CFGT_SEC && (opt->flags & CFGF_TITLE)
                           ? cfg_opt_gettsec(opt, title)
                           : NULL;
        struct buf name = {0};
        if (!first)
            continue;
        conf_put_section(&name, opt->name, title);
        conf_complain(parse.conf, parse.conf->errors, said, buf_text(&name),
                      "is written twice, first on line %d; join them or change a title",
                      table_section_line(first));
        buf_free(&name);
        return;
    }
}

/* The text between the quotes of a message of libconfuse. */
static bool quoted(const char *message, const char *prefix, char *room, size_t size)
{
    size_t length = strlen(prefix);
    const char *end = strrchr(message, '\'');
    if (strncmp(message, prefix, length) != 0 || end < message + length)
        return false;
    snprintf(room, size, "%.*s", (int)(end - message - (long)length), message + length);
    return true;
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    char message[512], name[256];
    struct said said = {BY_FILE, cfg->line, NULL};
    vsnprintf(message, sizeof(message), format, args);
    if (quoted(message, "no such option '", name, sizeof(name))) {
        snprintf(parse.unknown, sizeof(parse.unknown), "%.63s", name);
        parse.unknown_in = cfg;
        parse.unknown_line = cfg->line;
        return;
    }
    if (quoted(message, "found duplicate title '", name, sizeof(name))) {
        complain_twice(cfg, name);
        return;
    }
    for (size_t i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
        if (quoted(message, rewrites[i].prefix, name, sizeof(name))) {
            conf_complain(parse.conf, parse.conf->errors, said, name, "%s", rewrites[i].sentence);
            return;
        }
    }
    conf_complain(parse.conf, parse.conf->errors, said, NULL, "%s", message);
}

/* The nearest name among those that this section knows. */
static const char *nearest(const cfg_t *cfg, const char *word)
{
    const char *names[256];
    size_t count = 0;
    for (const cfg_opt_t *opt = cfg->opts; opt->name && count < 256; opt++)
        if (*opt->name != '|')
            names[count++] = opt->name;
    return text_nearest(word, names, count);
}

/* After libconfuse has returned, since looking for the module parses the core options. */
static void complain_unknown(struct conf *conf, const struct parse *failed, const cfg_t *root)
{
    const cfg_t *in = failed->unknown_in;
    const char *near = nearest(in, failed->unknown), *name = failed->unknown;
    struct said said = {BY_FILE, failed->unknown_line, NULL};
    struct buf inside = {0};
    buf_adds(&inside, in == root ? "here" : "in ");
    if (in != root)
        conf_put_section(&inside, in->name, in->title);
    /* A module that only has to be loaded is a better guess than a name that is near. The core's
     * options alone (which is how the modules are looked for) belong to no module. */
    if (conf->modules && conf_module_exists(conf, name))
        conf_complain(conf, conf->errors, said, name,
                      "belongs to a module that is not loaded; add \"%s\" to modules", name);
    else if (near)
        conf_complain(conf, conf->errors, said, name, "is not known %s; did you mean \"%s\"?",
                      buf_text(&inside), near);
    else
        conf_complain(conf, conf->errors, said, name,
                      "is not known %s; see reeve.conf(5), or add its module to modules",
                      buf_text(&inside));
    buf_free(&inside);
}

static int run(cfg_t *cfg, const struct buf *text)
{
    FILE *file = fmemopen(text->data, text->length, "r");
    if (!file)
        return CFG_PARSE_ERROR;
    int result = cfg_parse_fp(cfg, file);
    fclose(file);
    return result;
}

cfg_t *table_parse(struct conf *conf, cfg_opt_t *table, const struct buf *text)
{
    parse = (struct parse){.conf = conf};
    cfg_t *cfg = cfg_init(table, 0);
    if (!cfg)
        return NULL;
    cfg_set_error_function(cfg, on_error);
    cfg->filename = strdup(conf->snapshot->path);
    if (cfg->filename && run(cfg, text) == CFG_SUCCESS)
        return cfg;
    struct parse failed = parse; /* looking for a module parses again */
    if (failed.unknown_in)
        complain_unknown(conf, &failed, cfg);
    else if (conf->errors->length == 0)
        buf_printf(conf->errors, "%s: could not be parsed: memory is short\n",
                   conf->snapshot->path);
    cfg_free(cfg);
    return NULL;
}
