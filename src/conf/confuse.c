/* libconfuse at work: the callbacks that note lines, the parse itself, and its messages in our
 * words.
 *
 * libconfuse keeps no line of an option; a callback puts it down in the numeric default, which is
 * not used for texts. Its lexer is one per process and its callbacks have no argument of ours, so
 * there is one parse at a time, as everything that parses here runs in the main thread. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/tree.h"
#include "reeve/http.h"
#include "share/snapshot.h"

/* The parse that is going on. */
static struct parse {
    struct conf *conf;
    bool defaults;       /* default values are being set, which have no line */
    char unknown[64];    /* the option that is not known; its section and line */
    cfg_t *unknown_in;
    int unknown_line;
} parse;

/* ---- callbacks */

int confuse_begin(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    parse.defaults = true;
    opt->def.number = cfg->line;
    *(const char **)result = value;
    return 0;
}

int confuse_end(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    (void)cfg;
    (void)opt;
    parse.defaults = false;
    *(const char **)result = value;
    return 0;
}

int confuse_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
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

/* ---- messages */

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

static const reeve_module *loaded_module(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->module_count; i++)
        if (strcmp(conf->modules[i]->name, name) == 0)
            return conf->modules[i];
    return NULL;
}

/* The section of a module that is loaded, in a place where it cannot stand. */
static void complain_misplaced(struct conf *conf, const reeve_module *module, struct said said,
                               const char *inside)
{
    const char *name = module->name;
    if (module->kind == REEVE_HANDLER)
        conf_complain(conf, conf->errors, said, name,
                      "is a handler for %s and cannot stand %s; move it to where %s names a "
                      "handler, such as a route", module->handler->protocol, inside,
                      module->handler->protocol);
    else if (module->options)
        conf_complain(conf, conf->errors, said, name, "is a protocol and cannot stand %s; move its "
                      "section to the top level of the file", inside);
    else
        conf_complain(conf, conf->errors, said, name,
                      "is a protocol without options; remove this section");
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
    const reeve_module *module = loaded_module(conf, name);
    /* A module that only has to be loaded is a better guess than a name that is near. The core's
     * options alone (which is how the modules are looked for) belong to no module. */
    if (module)
        complain_misplaced(conf, module, said, buf_text(&inside));
    else if (conf->modules && conf_module_exists(conf, name))
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

/* ---- parsing */

static int run(cfg_t *cfg, const struct buf *text)
{
    FILE *file = fmemopen(text->data, text->length, "r");
    if (!file)
        return CFG_PARSE_ERROR;
    int result = cfg_parse_fp(cfg, file);
    fclose(file);
    return result;
}

cfg_t *confuse_parse(struct conf *conf, cfg_opt_t *table, const struct buf *text)
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
