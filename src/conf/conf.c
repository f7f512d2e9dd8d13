/* Parsing a snapshot: skim the text, let libconfuse parse it, convert what it found into the tree,
 * lay the overrides over it. Main thread of master and worker; the result is constant. */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/core.h"
#include "conf/skim.h"
#include "conf/tree.h"
#include "share/snapshot.h"

/* The root's table: the core options, then one section for each protocol module. */
static const reeve_option *root_options(struct conf *conf)
{
    static const reeve_option none[] = {{.type = REEVE_OPT_END}};
    size_t count = option_count(core_options);
    reeve_option *options = conf_alloc(conf, (count + conf->module_count + 1) * sizeof(*options));
    if (!options)
        return NULL;
    memcpy(options, core_options, count * sizeof(*options));
    for (size_t i = 0; i < conf->module_count; i++) {
        const reeve_module *module = conf->modules[i];
        if (module->kind != REEVE_PROTOCOL)
            continue;
        if (option_find(options, module->name)) {
            buf_printf(conf->errors, "%s: modules: the module %s has the name of an option or of "
                       "another module; rename it\n", conf->snapshot->path, module->name);
            continue;
        }
        options[count++] = (reeve_option){.name = module->name, .type = REEVE_OPT_SECTION,
                                          .options = module->options ? module->options : none,
                                          .help = "The options of this protocol."};
    }
    return options;
}

/* False when memory is short or the text is malformed; then, or after wrong values, there are
 * lines in conf->errors. */
static bool parse_text(struct conf *conf, const struct buf *text)
{
    struct said said = {BY_FILE, 0, NULL};
    cfg_opt_t *table = table_make(conf, conf->options);
    cfg_t *cfg = table ? confuse_parse(conf, table, text) : NULL;
    if (cfg) {
        conf->root = tree_make(conf, "root", NULL, conf->options, cfg, said);
        cfg_free(cfg);
    }
    table_free(table);
    return conf->root;
}

static bool parse(struct conf *conf)
{
    const struct snapshot *snapshot = conf->snapshot;
    struct buf text = {0};
    bool good = skim(snapshot->path, snapshot->text, snapshot->text_length,
                     conf->modules ? NULL : core_options, &text, conf->errors);
    buf_addc(&text, '\n'); /* an empty text cannot be a file for libconfuse */
    good = good && !text.failed && (conf->options = root_options(conf)) && parse_text(conf, &text);
    for (size_t i = 0; good && i < snapshot->override_count; i++)
        good = override_apply(conf, snapshot->overrides[i]);
    buf_free(&text);
    return good;
}

struct conf *conf_parse(const struct snapshot *snapshot, const reeve_module *const *modules,
                        size_t count, struct buf *errors)
{
    struct conf *conf = calloc(1, sizeof(*conf));
    struct buf own = {0}; /* so that "no line yet" can be told */
    bool good = false;
    if (conf) {
        *conf = (struct conf){.snapshot = snapshot, .modules = modules, .module_count = count,
                              .full = modules != NULL, .errors = &own};
        good = parse(conf);
        conf->modules = NULL;
        conf->errors = NULL;
    }
    if (own.failed || (!good && own.length == 0))
        buf_printf(&own, "%s: could not be read: memory is short\n", snapshot->path);
    buf_add(errors, own.data, own.length);
    if (!good || own.failed || own.length > 0)
        conf_free(&conf);
    buf_free(&own);
    return conf;
}

const reeve_section *conf_root(const struct conf *conf)
{
    return conf->root;
}

void conf_free(struct conf **conf)
{
    if (*conf)
        conf_release(*conf);
    *conf = NULL;
}
