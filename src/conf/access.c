/* reeve_conf_*: reading values. The tree is constant, so any thread may. Asking for what the table
 * does not declare is a bug of the caller and ends the worker at its start, loudly. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/tree.h"
#include "reeve/http.h"

#define BIT(type) (1u << REEVE_OPT_##type)

static const struct value *need(const reeve_section *section, const char *name, unsigned types)
{
    const reeve_option *o = option_find(section->options, name);
    if (o && (types & 1u << o->type))
        return &section->values[o - section->options];
    log_msg(LOG_MODULE_FAILED, "a bug in a module: the section \"%s\" %s \"%s\"", section->name,
            o ? "has another type of option than was asked for:" : "declares no option", name);
    abort();
}

bool reeve_conf_bool(const reeve_section *section, const char *name)
{
    return need(section, name, BIT(BOOL))->number != 0;
}

int64_t reeve_conf_int(const reeve_section *section, const char *name)
{
    return need(section, name, BIT(INT) | BIT(SIZE) | BIT(DURATION) | BIT(MODE))->number;
}

const char *reeve_conf_string(const reeve_section *section, const char *name)
{
    return need(section, name, BIT(STRING) | BIT(PATH) | BIT(ENUM))->string;
}

/* A SECTION counts 1 when it is written, 0 when it is not. */
size_t reeve_conf_count(const reeve_section *section, const char *name)
{
    const struct value *value = need(section, name, BIT(LIST) | BIT(SECTION) | BIT(SECTIONS));
    if (option_find(section->options, name)->type == REEVE_OPT_SECTION)
        return value->said.origin != BY_DEFAULT;
    return value->count;
}

static const struct value *need_index(const reeve_section *section, const char *name,
                                      unsigned types, size_t index)
{
    const struct value *value = need(section, name, types);
    if (index < value->count)
        return value;
    log_msg(LOG_MODULE_FAILED, "a bug in a module: \"%s\" has no element %zu", name, index);
    abort();
}

const char *reeve_conf_item(const reeve_section *section, const char *name, size_t index)
{
    return need_index(section, name, BIT(LIST), index)->items[index];
}

const reeve_section *reeve_conf_section(const reeve_section *section, const char *name,
                                        size_t index)
{
    return need_index(section, name, BIT(SECTION) | BIT(SECTIONS), index)->sections[index];
}

const char *reeve_conf_name(const reeve_section *section)
{
    return section->name;
}

const char *reeve_conf_title(const reeve_section *section)
{
    return section->title ? section->title : "";
}

const struct reeve_handler *reeve_conf_handler(const reeve_section *section,
                                               const reeve_section **options)
{
    for (size_t i = 0, n = option_count(section->options); i < n; i++) {
        if (section->options[i].type != REEVE_OPT_HANDLER || section->values[i].count == 0)
            continue;
        *options = section->values[i].sections[0];
        return (*options)->handler->handler;
    }
    log_msg(LOG_MODULE_FAILED, "a bug in a module: the section \"%s\" holds no handler",
            section->name);
    abort();
}

unsigned reeve_conf_minor(const reeve_section *section)
{
    if (section->handler)
        return section->handler->api_minor;
    log_msg(LOG_MODULE_FAILED, "a bug in a module: the section \"%s\" is not of a handler",
            section->name);
    abort();
}
