/* The tables of concurrency models and of ways to wait; the rows are in models.def and waits.def.
 * Constant data, any process. */
#include "config.h"

#include "conf/model.h"

#include <stddef.h>
#include <string.h>

const struct model models[] = {
#define X(name, workers, each, loops, connections, wait, pool, help)                               \
    {name, workers, each, loops, connections, wait, pool},
#include "conf/models.def"
#undef X
    {.name = NULL},
};

const char model_names[] =
#define X(name, workers, each, loops, connections, wait, pool, help) "|" name
#include "conf/models.def"
#undef X
    ;

static const char *const wait_names[] = {
#define X(symbol, name) [WAIT_##symbol] = #name,
#include "conf/waits.def"
#undef X
};

const char wait_choices[] =
#define X(symbol, name) "|" #name
#include "conf/waits.def"
#undef X
    ;

const struct model *model_find(const char *name)
{
    for (const struct model *m = models; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const char *each_name(enum each each)
{
    switch (each) {
    case EACH_NONE:
        break;
    case EACH_THREAD:
        return "thread";
    case EACH_PROCESS:
        return "process";
    }
    return NULL;
}

const char *wait_name(enum wait_kind wait)
{
    return wait_names[wait];
}

enum wait_kind wait_find(const char *name)
{
    enum wait_kind kind = 0;
    while (kind < WAIT_KINDS && strcmp(wait_names[kind], name) != 0)
        kind++;
    return kind;
}
