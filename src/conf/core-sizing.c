/* The core options that say how many workers there are, and how long one lives. Main thread of
 * master and worker, after each parse. */
#include "config.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/cpus.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "conf/tree.h"

#define WORKERS_MOST 256 /* as the option says */

#define complain(root, errors, name, ...)                                                          \
    conf_complain((root)->conf, errors, conf_said(root, name), name, __VA_ARGS__)

/* Threads of a worker that serve, one request or connection each. */
static int threads_of(const struct core *core)
{
    return core->model.pool ? core->threads : core->model.loops;
}

/* A model whose worker is meant to be the only process, or makes something for each connection, has
 * its room in the worker itself. */
static bool can_grow(const struct model *model)
{
    const struct model *row = model_find(model->name);
    return row->each == EACH_NONE && (row->workers != 1 || row->connections == MANY);
}

static void check_range(const reeve_section *root, const struct core *core, int workers,
                        struct buf *errors)
{
    int least = core->spare_min + threads_of(core);
    if (core->workers_min > core->workers_max)
        complain(root, errors, "workers_min", "%d is more than workers_max = %d; write no more "
                 "than that", core->workers_min, core->workers_max);
    else if (workers && (workers < core->workers_min || workers > core->workers_max))
        complain(root, errors, "workers", "%d to begin with is not between workers_min = %d and "
                 "workers_max = %d; change one of them", workers, core->workers_min,
                 core->workers_max);
    if (core->spare_max < least)
        complain(root, errors, "spare_max", "%d would end workers that spare_min = %d asks for, "
                 "with %d threads a worker; write at least %d", core->spare_max, core->spare_min,
                 threads_of(core), least);
}

static void read_range(const reeve_section *root, struct core *core, int workers,
                       struct buf *errors)
{
    int min = (int)reeve_conf_int(root, "workers_min");
    int spare_min = (int)reeve_conf_int(root, "spare_min");
    int spare_max = (int)reeve_conf_int(root, "spare_max");
    int half = threads_of(core) / 2;
    core->workers_max = (int)reeve_conf_int(root, "workers_max");
    if (!core->workers_max && (min || spare_min || spare_max)) {
        complain(root, errors, min ? "workers_min" : spare_min ? "spare_min" : "spare_max",
                 "is of no use without workers_max; write that too");
        return;
    }
    if (!can_grow(&core->model))
        core->workers_max = 0;
    if (!core->workers_max)
        return;
    core->workers_min = min ? min : 1;
    core->spare_min = spare_min ? spare_min : half ? half : 1;
    core->spare_max = spare_max ? spare_max : core->spare_min + 2 * threads_of(core);
    core->spare_time = reeve_conf_int(root, "spare_time");
    check_range(root, core, workers, errors);
}

static int within(int value, int min, int max)
{
    return value < min ? min : value > max ? max : value;
}

static void read_number(struct core *core, int workers)
{
    struct model *m = &core->model;
    char words[CPUS_WORDS] = "the model's number";
    bool by_cpu = !workers && !m->workers;
    struct cpus cpus;
    if (workers) {
        m->workers = workers;
        snprintf(words, sizeof(words), "as configured");
    } else if (by_cpu) {
        cpus_now(&cpus);
        m->workers = within(cpus.usable, 1, WORKERS_MOST);
        cpus_put(&cpus, words, sizeof(words));
    }
    core->follows_cpus = by_cpu && !core->workers_max;
    if (core->workers_max) {
        m->workers = within(m->workers, core->workers_min, core->workers_max);
        snprintf(core->sizing, sizeof(core->sizing),
                 "workers = %d to begin with, %d to %d, so that %d to %d threads are spare",
                 m->workers, core->workers_min, core->workers_max, core->spare_min,
                 core->spare_max);
        return;
    }
    snprintf(core->sizing, sizeof(core->sizing), "workers = %d, %s%s", m->workers,
             by_cpu ? "one per usable CPU: " : "", words);
}

void core_read_sizing(const reeve_section *root, struct core *core, struct buf *errors)
{
    int workers = (int)reeve_conf_int(root, "workers");
    core->worker_requests = reeve_conf_int(root, "worker_requests");
    core->worker_age = reeve_conf_int(root, "worker_age");
    core->worker_memory = reeve_conf_int(root, "worker_memory");
    core->worker_jitter = (int)reeve_conf_int(root, "worker_jitter");
    read_range(root, core, workers, errors);
    read_number(core, workers);
}
