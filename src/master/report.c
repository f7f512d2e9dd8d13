/* What the master tells of itself; see report.h and reevectl(8), which documents every field. What
 * it tells of its workers is in report-workers.c.
 *
 * Master. What workers have written, on the board or over the channel, is checked before it is
 * passed on. */
#include "config.h"

#include "master/report.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/clean.h"
#include "master/crashes.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/master.h"
#include "master/muster.h"
#include "master/operation.h"
#include "master/past.h"
#include "master/probation.h"
#include "master/quarantine.h"
#include "master/refusals.h"
#include "master/socket.h"
#include "master/state.h"
#include "master/workers.h"
#include "reeve/module.h"

#define SAMPLES 10 /* seconds over which requests per second are taken */

static uint64_t samples[SAMPLES + 1];
static int sample_count;

/* A text of our own, which may have several lines. Paths in it may be of any bytes; JSON is
 * UTF-8. */
static json_t *text_or_null(const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    return value ? value : text ? clean_json(text, strlen(text)) : json_null();
}

/* ---------------------------------------------------------------- totals ----------- */

struct sums {
    struct counters counters;
    int workers;
};

static struct sums sum_up(void)
{
    struct sums sums = {.counters = master.retired};

    list_each(g, &master.generations)
        list_each(w, &list_entry(g, struct generation, node)->workers) {
            struct worker *worker = list_entry(w, struct worker, node);

            worker_count(worker);
            counters_retire(&sums.counters, &worker->counters);
            sums.counters.open += worker->counters.open;
            sums.workers++;
        }
    return sums;
}

void report_sample(void)
{
    if (sample_count == SAMPLES + 1) {
        memmove(samples, samples + 1, SAMPLES * sizeof(samples[0]));
        sample_count--;
    }
    samples[sample_count++] = sum_up().counters.requests;
}

static double request_rate(void)
{
    if (sample_count < 2)
        return 0;
    return (double)(samples[sample_count - 1] - samples[0]) / (sample_count - 1);
}

/* ---------------------------------------------------------------- status ----------- */

/* Connections that no worker has taken yet, as far as the kernel tells. */
static int sum_waiting(void)
{
    int sum = 0, waiting;

    list_each(node, &listeners) {
        waiting = socket_waiting(list_entry(node, struct listener, node)->fd);
        sum += waiting > 0 ? waiting : 0;
    }
    return sum;
}

static json_t *totals_json(const struct counters *counters)
{
    json_t *totals = json_pack("{s:i,s:i,s:I}", "open", (int)counters->open, "waiting",
                               sum_waiting(), "restarts", (json_int_t)master.restarts);

#define X(name, board, total, each, help)                                                          \
    if (*total)                                                                                    \
        json_object_set_new(totals, total, json_integer((json_int_t)counters->name));
#include "share/counters.def"
#undef X
    return totals;
}

static json_t *generations_json(void)
{
    json_t *list = json_array();

    list_each(node, &master.generations) {
        const struct generation *generation = list_entry(node, struct generation, node);

        if (!generation->check)
            json_array_append_new(list, json_pack("{s:i,s:s,s:i,s:I}", "number",
                                                  (int)generation->number, "state",
                                                  generation_state_name(generation->state),
                                                  "workers", generation_worker_count(generation),
                                                  "since", (json_int_t)generation->since));
    }
    return list;
}

static json_t *result_json(const struct result *result)
{
    return result ? json_pack("{s:i,s:s,s:i,s:o}", "operation", (int)result->number, "verb",
                              result->name, "code", (int)result->code, "text",
                              text_or_null(result->text))
                  : json_null();
}

static const char *state_name(void)
{
    static const char *const names[] = {"starting", "serving", "stopping"};

    if (master.state == MASTER_SERVING && master.trial)
        return "reloading";
    if (master.state == MASTER_SERVING && master.warm)
        return "probation";
    return names[master.state];
}

static json_t *numbers_json(const struct generation *generation)
{
    const struct core *core = &generation->core;
    const struct model *model = &core->model;
    const char *queue = core->queue_per_thread ? "per-thread" : "shared";

    return json_pack("{s:i,s:s?,s:i,s:i,s:i,s:s,s:i,s:s?,s:i}", "workers", generation->slot_count,
                     "each", each_name(model->each), "each_limit", core->max_each, "loops",
                     model->loops, "connections", model->connections, "wait",
                     wait_name(model->wait), "threads", model->pool ? core->threads : 0, "queue",
                     model->pool ? queue : NULL, "control", model->each == EACH_PROCESS ? 0 : 1);
}

static const struct result *last_result(void)
{
    const struct result *last = NULL, *result;

    for (int i = 0; (result = operation_result_at(i)); i++)
        last = result;
    return last;
}

/* The one that serves; while the server starts or stops, the newest there is. */
static const struct generation *shown_generation(void)
{
    if (master.serving || list_empty(&master.generations))
        return master.serving;
    return list_entry(master.generations.prev, struct generation, node);
}

/* Who has started the server: looked up once, since that may take long and needs memory. "": root,
 * whose workers tell whom they have become. */
static char own_account[64];

void report_begin(void)
{
    const struct passwd *account = geteuid() ? getpwuid(geteuid()) : NULL;

    if (account)
        snprintf(own_account, sizeof(own_account), "%s", account->pw_name);
}

/* Whom its workers run as; "" until one of them has said so. */
static json_t *user_name(const struct generation *generation)
{
    const char *told = generation && generation->sandbox ? generation->sandbox : "";
    char name[sizeof(own_account)];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(told, "\n"), told);
    return clean_json(name[0] || !generation ? name : own_account, sizeof(name));
}

json_t *report_status(void)
{
    struct sums sums = sum_up();
    const struct generation *serving = shown_generation();
    json_t *status = json_pack(
        "{s:s,s:i,s:i,s:s,s:I,s:s,s:o,s:o,s:o,s:o,s:f,s:o,s:o,s:o,s:o,s:o}", "version", VERSION,
        "pid", (int)getpid(), "generation", serving ? (int)serving->number : 0, "model",
        serving ? serving->core.model.name : "", "uptime",
        (json_int_t)(clock_fresh_ms() - master.started) / 1000, "state", state_name(), "config",
        text_or_null(master.options->config ? master.options->config : "(built-in)"), "user",
        user_name(serving), "numbers",
        serving ? numbers_json(serving) : json_null(), "sizing",
        serving ? muster_report(serving) : json_null(), "rate", request_rate(), "last_error",
        text_or_null(master.last_error),
        "last_operation", result_json(last_result()), "generations", generations_json(), "workers",
        report_workers(), "totals", totals_json(&sums.counters));

    json_object_set_new(status, "last_error_time",
                        master.last_error && master.last_error_at
                            ? json_integer((json_int_t)master.last_error_at) : json_null());
    json_object_set_new(status, "crashes", crashes_report());
    json_object_set_new(status, "quarantine", quarantine_report());
    json_object_set_new(status, "probation", probation_json());
    json_object_set_new(status, "sandbox", refusals_report(serving));
    return status;
}

json_t *report_generations(void)
{
    json_t *operations = json_array();
    const struct result *result;

    for (int i = 0; (result = operation_result_at(i)); i++)
        json_array_append_new(operations, result_json(result));
    return json_pack("{s:o,s:o,s:o}", "generations", generations_json(), "kept", past_json(),
                     "operations", operations);
}

json_t *report_listeners(void)
{
    json_t *list = json_array();

    list_each(node, &listeners) {
        const struct listener *listener = list_entry(node, struct listener, node);
        int waiting = socket_waiting(listener->fd);

        json_array_append_new(
            list, json_pack("{s:o,s:o,s:o,s:i,s:o,s:s}", "address", text_or_null(listener->title),
                            "protocol", text_or_null(listener->protocol), "bound",
                            text_or_null(listener->bound), "backlog", listener->backlog, "waiting",
                            waiting < 0 ? json_null() : json_integer(waiting), "origin",
                            listener->inherited ? "inherited" : "configured"));
    }
    return json_pack("{s:o}", "listeners", list);
}

json_t *report_modules(void)
{
    json_t *list = json_array();
    char *copy = master.serving && master.serving->modules ? strdup(master.serving->modules) : NULL;
    char *rest = NULL;

    for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        char *words = NULL;
        const char *kind = strtok_r(line, " ", &words);
        const char *name = strtok_r(NULL, " ", &words);
        const char *version = strtok_r(NULL, "", &words);

        if (kind && name)
            json_array_append_new(
                list, json_pack("{s:o,s:o,s:o}", "kind", clean_json(kind, 32), "name",
                                clean_json(name, 64), "version",
                                clean_json(version ? version : "", 64)));
    }
    free(copy);
    return json_pack("{s:o}", "modules", list);
}

json_t *report_version(void)
{
    char api[32];

    snprintf(api, sizeof(api), "%d.%d", REEVE_API_MAJOR, REEVE_API_MINOR);
    return json_pack("{s:s,s:s,s:i}", "version", VERSION, "api", api, "protocol", CONTROL_PROTOCOL);
}
