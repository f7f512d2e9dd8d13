/* What the service manager is told; see manager.h.
 *
 * Master. A round at least once a second, more often where the manager wants to hear more often:
 * the status, if it has changed, and that all is well, if it is. Each RELOADING=1 is followed by a
 * READY=1, whatever comes of the reload; else `systemctl reload` would hang. The time in
 * RELOADING=1 is taken after the signal that asked for the reload, as systemd demands. */
#include "config.h"

#include "master/manager.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "base/text.h"
#include "master/generation.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/progress.h"
#include "master/reactor.h"
#include "master/slot.h"
#include "master/state.h"
#include "master/workers.h"

#define ROUND 1000 /* ms */
#define ROUNDS 4   /* at least, in the time that the watchdog gives */
#define ERROR_MAX 200

static void on_round(void *arg);

static struct {
    struct timer round;
    struct buf status;   /* as it was told */
    int64_t last_round;  /* CLOCK_MONOTONIC ms */
    int64_t well;        /* when enough workers made progress last */
    bool said_ill;
    bool reloading;
    bool began; /* it was told that we are ready, by us or by the program before us */
} manager = {.round = {.fire = on_round}};

/* ---------------------------------------------------------------- status ----------- */

static void put_error(struct buf *out, const char *text)
{
    size_t length = strcspn(text, "\n");

    buf_adds(out, "; last error: ");
    text_put_safe(out, text, length < ERROR_MAX ? length : ERROR_MAX);
}

static void put_status(struct buf *out)
{
    int workers = generation_ready_count(master.serving);

    buf_adds(out, "STATUS=");
    if (master.state == MASTER_STOPPING)
        buf_adds(out, "stopping");
    else if (manager.reloading && master.serving)
        buf_printf(out, "reloading; generation %u serves", master.serving->number);
    else if (master.serving)
        buf_printf(out, "%d worker%s of generation %u serve%s", workers, workers == 1 ? "" : "s",
                   master.serving->number, workers == 1 ? "s" : "");
    else
        buf_adds(out, "starting");
    if (master.last_error)
        put_error(out, master.last_error);
}

/* The word, if any, and the status with it. */
static void tell(const char *word)
{
    struct buf text = {0};

    if (!notify_wanted())
        return;
    buf_clear(&manager.status);
    put_status(&manager.status);
    buf_printf(&text, "%s%s", word, buf_text(&manager.status));
    if (!notify_send(buf_text(&text), *word != '\0'))
        buf_clear(&manager.status); /* for the next round */
    buf_free(&text);
}

static void tell_news(void)
{
    struct buf now = {0};

    put_status(&now);
    if (strcmp(buf_text(&now), buf_text(&manager.status)) != 0)
        tell("");
    buf_free(&now);
}

/* ---------------------------------------------------------------- watchdog --------- */

static int64_t patience_ms(void)
{
    return notify_watchdog_usec() / 1000;
}

/* Of those that serve, or should: how many, and how many of them make progress. */
static int count_moving(int *moving)
{
    const struct generation *serving = master.serving;
    int count = 0;

    *moving = 0;
    for (int i = 0; i < serving->slot_count; i++) {
        struct worker *worker = serving->slots[i]->worker;

        if (!worker || worker->state != WORKER_READY)
            count++;
        else if (progress_seen(&worker->progress, worker->board, serving->core.model.loops))
            count++, ++*moving;
        else
            count += !sys_is_stopped(worker->pid);
    }
    return count;
}

static void say_health(bool well, int count, int moving, int64_t now)
{
    if (well && manager.said_ill)
        say(LOG_WATCHDOG_WELL, "%d of %d workers make progress again", moving, count);
    else if (!well && !manager.said_ill && now - manager.well > patience_ms() / 2)
        say(LOG_WATCHDOG, "only %d of %d workers make progress; unless that changes within %" PRId64
            " ms the service manager ends this server", moving, count,
            patience_ms() - (now - manager.well));
    else
        return;
    manager.said_ill = !well;
}

static void watch_workers(void)
{
    int64_t now = clock_fresh_ms();
    /* We were stopped ourselves, or the whole machine was: what has not moved since had no time. */
    bool was_away = now - manager.last_round > ROUND + patience_ms() / 2;
    int moving = 0, count = master.serving ? count_moving(&moving) : 0;
    bool well = was_away || count == 0 || progress_quorum(count, moving);

    manager.last_round = now;
    say_health(well, count, moving, now);
    if (!well)
        return;
    manager.well = now;
    notify_send("WATCHDOG=1", false);
}

static void on_round(void *arg)
{
    int64_t every = patience_ms() / ROUNDS;

    (void)arg;
    tell_news();
    if (notify_watchdog_usec() > 0)
        watch_workers();
    timer_set(&manager.round, every > 0 && every < ROUND ? every : ROUND);
}

/* ---------------------------------------------------------------- the words -------- */

static void begin_rounds(void)
{
    manager.began = true;
    manager.last_round = manager.well = clock_fresh_ms();
    on_round(NULL);
}

void manager_ready(void)
{
    struct buf word = {0};

    if (!notify_wanted() || manager.began)
        return;
    buf_adds(&word, "READY=1\n");
    if (master.options->detach)
        buf_printf(&word, "MAINPID=%d\n", (int)getpid());
    tell(buf_text(&word));
    buf_free(&word);
    begin_rounds();
}

void manager_goes_on(bool reloads)
{
    if (!notify_wanted())
        return;
    if (reloads)
        manager_reload_begins();
    begin_rounds();
}

void manager_reload_begins(void)
{
    struct buf word = {0};
    struct timespec now;

    if (!notify_wanted() || master.state != MASTER_SERVING)
        return;
    manager.reloading = true;
    clock_gettime(CLOCK_MONOTONIC, &now);
    buf_printf(&word, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
               (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    tell(buf_text(&word));
    buf_free(&word);
}

void manager_reload_ended(void)
{
    if (!manager.reloading)
        return;
    manager.reloading = false;
    if (master.state != MASTER_STOPPING)
        tell("READY=1\n");
}

void manager_stopping(void)
{
    tell("STOPPING=1\n");
}
