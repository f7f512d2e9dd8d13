/* The table of concurrency models; the rows are in models.def. Constant data, any process. */
#include "config.h"

#include "conf/model.h"

#include <stddef.h>
#include <string.h>

const struct model models[] = {
#define X(name, workers, loops, connections, wait, pool, help)                                     \
    {name, workers, loops, connections, wait, pool},
#include "conf/models.def"
#undef X
    {NULL, 0, 0, 0, WAIT_POLL, false},
};

const char model_names[] =
#define X(name, workers, loops, connections, wait, pool, help) "|" name
#include "conf/models.def"
#undef X
    ;

static const char *const wait_names[] = {[WAIT_POLL] = "poll", [WAIT_EPOLL] = "epoll"};

const struct model *model_find(const char *name)
{
    for (const struct model *m = models; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const char *wait_name(enum wait_kind wait)
{
    return wait_names[wait];
}
