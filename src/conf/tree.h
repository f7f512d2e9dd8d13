/* The parsed configuration from inside: a tree of sections whose values are converted and checked.
 *
 * Made by conf_parse() in one thread, constant afterwards (modules read it from any thread). All of
 * its memory belongs to the conf's arena and goes by conf_free(). Private to src/conf. */
#ifndef CONF_TREE_H
#define CONF_TREE_H
#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeve/module.h"

struct buf;
struct snapshot;

enum origin { BY_DEFAULT, BY_FILE, BY_OVERRIDE };

/* Where something was said. */
struct said {
    enum origin origin;
    int line;             /* BY_FILE; 0: the file as a whole */
    const char *override; /* BY_OVERRIDE: "KEY=VALUE" */
};

struct value {
    struct said said;
    int64_t number;            /* BOOL, INT, SIZE, DURATION, MODE */
    const char *string;        /* STRING, PATH, ENUM */
    const char **items;        /* LIST */
    reeve_section **sections;  /* SECTION (always one), SECTIONS, HANDLER (one) */
    size_t count;              /* of items or sections */
};

struct reeve_section {
    struct conf *conf;
    const char *name;
    const char *title;         /* NULL: this kind has none */
    struct said said;
    const reeve_option *options;
    struct value *values;      /* one for each element of `options` */
    const reeve_module *handler; /* of the section of a handler */
};

struct chunk; /* of the arena */

struct conf {
    const struct snapshot *snapshot;
    const reeve_module *const *modules; /* of the caller: during conf_parse only */
    size_t module_count;
    bool full;                          /* parsed with the tables of modules, strictly */
    struct buf *errors;                 /* of the caller: during conf_parse only */
    struct chunk *chunks;
    const reeve_option *options;        /* of the root: the core's, then the protocols' */
    reeve_section *root;
};

/* arena.c. NULL when memory is short; otherwise zeroed. */
void *conf_alloc(struct conf *conf, size_t size);
char *conf_strdup(struct conf *conf, const char *text);
void conf_release(struct conf *conf); /* the arena and the conf */

/* value.c. Converts `text` by the option's type (not LIST, SECTION...). False with the sentence
 * that follows "option: " in `sentence`. */
bool value_read(struct conf *conf, const reeve_option *option, const char *text,
                struct value *value, struct buf *sentence);
/* A list as written with commas. False when memory is short. */
bool value_read_list(struct conf *conf, const char *text, struct value *value);

/* table.c: option tables in libconfuse's form. NULL when memory is short. */
cfg_opt_t *table_make(const struct conf *conf, const reeve_option *options);
void table_free(cfg_opt_t *table);
/* The handler modules that an option of type HANDLER allows, one a call; NULL ends. */
const reeve_module *table_handler(const struct conf *conf, const reeve_option *option, size_t *at);
bool table_was_set(const cfg_opt_t *opt);
int table_line(const cfg_opt_t *opt);
int table_section_line(cfg_t *section);
cfg_opt_t *table_find(cfg_t *section, const char *name);

/* confuse.c: parses `text`; NULL after lines in conf->errors. cfg_free() the result. */
cfg_t *confuse_parse(struct conf *conf, cfg_opt_t *table, const struct buf *text);
/* Callbacks for the tables: defaults begin, and end; a value has been read. */
int confuse_begin(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result);
int confuse_end(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result);
int confuse_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result);

/* tree.c. `title` is copied, NULL: none. `cfg` NULL: all defaults. NULL when memory is short.
 * Errors go to conf->errors. */
reeve_section *tree_make(struct conf *conf, const char *name, const char *title,
                         const reeve_option *options, cfg_t *cfg, struct said said);

/* override.c: one "KEY=VALUE" on the finished tree. False when memory is short. */
bool override_apply(struct conf *conf, const char *text);

/* error.c: "where: option: sentence" as one line in `errors`. `option` NULL: the section itself. */
void conf_complain(const struct conf *conf, struct buf *errors, struct said said,
                   const char *option, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The place where `name` was said, or the section when it was not, or NULL. */
struct said conf_said(const reeve_section *section, const char *name);
/* `listen "x"`, or the name alone. */
void conf_put_section(struct buf *out, const char *name, const char *title);
/* Is there a module of that name on the module path of this configuration? */
bool conf_module_exists(const struct conf *conf, const char *name);
const reeve_option *option_find(const reeve_option *options, const char *name);
size_t option_count(const reeve_option *options);

/* print.c: a value as it would be written in the file. */
void conf_put_value(struct buf *out, const reeve_option *option, const struct value *value);
#endif
