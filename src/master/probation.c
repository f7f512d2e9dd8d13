/* Probation; see probation.h.
 *
 * Master. A timer looks at the counters of the generation's workers, those that are gone included,
 * and compares them with the bounds that its configuration says. What is too bad is decided here,
 * from that timer and never from within a worker's end; the states are moved by generation.c. */
#include "config.h"

#include "master/probation.h"

#include "base/buf.h"
#include "base/clock.h"
#include "master/counters.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/logs.h"
#include "master/manager.h"
#include "master/operation.h"
#include "master/past.h"
#include "master/reactor.h"
#include "master/rollback.h"
#include "master/state.h"
#include "master/stop.h"
#include "master/workers.h"
#include "share/ending.h"

#define LOOK 200 /* ms between two looks at the counters */

static void on_look(void *arg);

static struct {
    struct generation *generation; /* NULL: none is under way */
    struct operation *operation;
    struct timer look;
    int64_t began, ends;           /* CLOCK_MONOTONIC ms */
    int crashes;
    struct buf crash;              /* the first, in words */
    struct counters gone;          /* of its workers that have ended */
} probation = {.look = {.fire = on_look}};

static long long seconds(int64_t ms)
{
    return (long long)((ms + 500) / 1000);
}

static struct counters count(void)
{
    struct counters sum = probation.gone;

    list_each(node, &probation.generation->workers) {
        struct worker *worker = list_entry(node, struct worker, node);

        worker_count(worker);
        counters_retire(&sum, &worker->counters);
    }
    return sum;
}

/* ---------------------------------------------------------------- judging ---------- */

/* False if all is well; else `why` says what is not. */
static bool too_bad(struct buf *why)
{
    const struct core *core = &probation.generation->core;
    struct counters sum = count();

    if (core->probation_crashes > 0 && probation.crashes >= core->probation_crashes)
        buf_printf(why, "%d crash%s (probation_crashes = %d): %s", probation.crashes,
                   probation.crashes == 1 ? "" : "es", core->probation_crashes,
                   buf_text(&probation.crash));
    else if (core->probation_errors > 0 && sum.errors > 0 &&
             sum.requests >= (uint64_t)core->probation_requests &&
             sum.errors * 100 >= sum.requests * (uint64_t)core->probation_errors)
        buf_printf(why, "%llu of %llu requests were answered with 5xx (probation_errors = %d "
                   "percent)", (unsigned long long)sum.errors, (unsigned long long)sum.requests,
                   core->probation_errors);
    return why->length > 0;
}

static void on_look(void *arg)
{
    struct buf why = {0};

    (void)arg;
    if (!probation.generation)
        return;
    if (too_bad(&why))
        generation_fail(probation.generation, buf_text(&why));
    else
        timer_set(&probation.look, LOOK);
    buf_free(&why);
}

void probation_crashed(const struct generation *generation, const char *text)
{
    if (!generation || generation != probation.generation)
        return;
    if (probation.crashes++ == 0)
        buf_adds(&probation.crash, text);
    timer_set(&probation.look, 0);
}

void probation_worker_ended(struct worker *worker)
{
    struct buf text = {0};

    worker_count(worker);
    counters_retire(&probation.gone, &worker->counters);
    if (worker->expected)
        return;
    buf_printf(&text, "worker %d of generation %u (pid %d) ", worker->slot_index,
               worker->generation->number, (int)worker->pid);
    ending_put(&text, worker->status);
    probation_crashed(worker->generation, buf_text(&text));
    buf_free(&text);
}

/* ---------------------------------------------------------------- its course ------- */

void probation_begin(struct generation *generation, struct generation *warm,
                     struct operation *operation)
{
    master.warm = warm;
    probation.generation = generation;
    probation.operation = operation;
    probation.began = clock_fresh_ms();
    probation.ends = probation.began + operation->probation;
    operation->generation = generation->number;
    timer_set(&probation.look, LOOK);
    manager_reload_ended(); /* it shall not wait for the probation too */
    say(LOG_PROBATION, "generation %u serves, on probation for %lld s; generation %u is kept warm",
        generation->number, seconds(operation->probation), warm->number);
}

/* None is under way any more. Its operation, to be acknowledged. */
static struct operation *end(void)
{
    struct operation *operation = probation.operation;

    timer_cancel(&probation.look);
    probation.generation = NULL;
    probation.operation = NULL;
    probation.crashes = 0;
    probation.gone = (struct counters){0};
    buf_free(&probation.crash);
    return operation;
}

void probation_passed(struct generation *generation)
{
    struct generation *warm = master.warm;
    struct counters sum = count();
    struct operation *operation = end();

    say(LOG_PROBATION,
        "generation %u has passed its probation: %llu requests, %llu answered with 5xx",
        generation->number, (unsigned long long)sum.requests, (unsigned long long)sum.errors);
    listeners_adopt(generation, warm);
    warm->operation = operation;
    warm->drain_ms = generation->core.drain_timeout;
    generation_event(warm, EVENT_RETIRE, NULL);
    operation_result(operation, CONTROL_DONE, "generation %u serves, and has passed its probation",
                     generation->number);
    stop_oldest(generation->core.generations_limit);
    operation_ack(operation);
}

struct operation *probation_failed(struct generation *generation)
{
    int64_t after = clock_fresh_ms() - probation.began;
    struct operation *operation = end();
    struct generation *warm = master.serving;
    struct buf text = {0}, ignored = {0};

    master.warm = NULL;
    past_blame(generation->number);
    if (logs_try(&warm->core, &ignored))
        logs_adopt(&warm->core);
    buf_free(&ignored);
    buf_printf(&text, "generation %u has failed its probation after %lld s: %.*s; generation %u "
               "serves again; " FILE_UNCHANGED, generation->number, seconds(after),
               (int)(generation->why.length - 1), buf_text(&generation->why), warm->number);
    say(LOG_PROBATION_FAILED, "%s", buf_text(&text));
    master_set_error(buf_text(&text));
    operation_result(operation, CONTROL_ROLLED_BACK, "%s", buf_text(&text));
    operation->generation = warm->number;
    buf_free(&text);
    listeners_adopt(warm, generation);
    generation->operation = operation;
    generation->drain_ms = warm->core.drain_timeout;
    return operation;
}

void probation_stopped(void)
{
    const struct generation *generation = probation.generation;
    struct operation *operation = end();

    operation_result(operation, CONTROL_REFUSED,
                     "the server is stopping; the probation of generation %u had not ended",
                     generation->number);
    operation_ack(operation);
}

/* ---------------------------------------------------------------- telling ---------- */

void probation_say_wait(void)
{
    if (probation.generation)
        say(LOG_PROBATION, "the reload waits until the probation of generation %u has ended, in "
            "%lld s", probation.generation->number, seconds(probation.ends - clock_fresh_ms()));
}

json_t *probation_json(void)
{
    struct counters sum;

    if (!probation.generation)
        return json_null();
    sum = count();
    return json_pack("{s:i,s:i,s:I,s:i,s:I,s:I}", "generation", (int)probation.generation->number,
                     "warm", (int)master.warm->number, "left",
                     (json_int_t)seconds(probation.ends - clock_fresh_ms()), "crashes",
                     probation.crashes, "requests", (json_int_t)sum.requests, "errors",
                     (json_int_t)sum.errors);
}
