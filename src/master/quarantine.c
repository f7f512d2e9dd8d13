/* Quarantine; see quarantine.h.
 *
 * Master. The latest crashes of a suspect are remembered by their times; when there are too many
 * within the time that counts it is in quarantine, of which every worker is told, until its time is
 * over. The table is fixed: who floods it with requests that crash is caught by the budget of the
 * module. What stands in a record was written by a worker that had lost its mind: a text that could
 * not stand in a request makes it no suspect, and the worst that it can bring about is a 503 where
 * its module serves. */
#include "config.h"

#include "master/quarantine.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "master/generation.h"
#include "master/reactor.h"
#include "master/state.h"
#include "master/suspect.h"
#include "master/workers.h"

#define SUSPECTS 128

static struct suspect suspects[SUSPECTS];
static void on_time(void *arg);
static struct timer timer = {.fire = on_time};

/* ---------------------------------------------------------------- telling workers -- */

/* One that loads is told when it begins to serve: until then it awaits other answers. */
static void tell_all(const struct suspect *suspect)
{
    int64_t now = clock_fresh_ms();

    list_each(g, &master.generations)
        list_each(w, &list_entry(g, struct generation, node)->workers)
            if (!list_entry(w, struct worker, node)->reaped &&
                list_entry(w, struct worker, node)->state != WORKER_STARTED)
                suspect_tell(suspect, list_entry(w, struct worker, node), now);
}

void quarantine_brief(struct worker *worker)
{
    int64_t now = clock_fresh_ms();

    for (int i = 0; i < SUSPECTS; i++)
        if (suspects[i].until > now)
            suspect_tell(&suspects[i], worker, now);
}

/* ---------------------------------------------------------------- time ------------- */

static void set_timer(void)
{
    int64_t next = 0;

    for (int i = 0; i < SUSPECTS; i++)
        if (suspects[i].until && (!next || suspects[i].until < next))
            next = suspects[i].until;
    if (next)
        timer_set(&timer, next > clock_fresh_ms() ? next - clock_fresh_ms() : 1);
    else
        timer_cancel(&timer);
}

/* Workers keep the time themselves too, should the word be late. */
static void on_time(void *arg)
{
    int64_t now = clock_fresh_ms();

    (void)arg;
    for (int i = 0; i < SUSPECTS; i++)
        if (suspects[i].until && suspects[i].until <= now) {
            tell_all(&suspects[i]);
            suspect_announce(&suspects[i], LOG_QUARANTINE_OVER, "is served again");
            suspects[i] = (struct suspect){0};
        }
    set_timer();
}

/* ---------------------------------------------------------------- blame ------------ */

static bool is_word(const char *text, size_t room)
{
    size_t length = strnlen(text, room);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 127)
            return false;
    return length > 0 && length < room;
}

static int64_t last_crash(const struct suspect *suspect)
{
    return suspect->crashes ? suspect->times[(suspect->crashes - 1) % SUSPECT_TIMES] : 0;
}

static bool is_same(const struct suspect *suspect, uint64_t print,
                    const struct words_record *record)
{
    return suspect->module[0] && suspect->print == print &&
           strcmp(suspect->module, record->module) == 0 &&
           (!print || (strcmp(suspect->method, record->method) == 0 &&
                       strcmp(suspect->target, record->target) == 0));
}

/* The one of that name, or a new one: in a free place, or for who has not crashed for longest.
 * NULL: all are in quarantine. */
static struct suspect *find(uint64_t print, const struct words_record *record)
{
    struct suspect *oldest = NULL;

    for (int i = 0; i < SUSPECTS; i++) {
        struct suspect *each = &suspects[i];

        if (is_same(each, print, record))
            return each;
        if (!each->until && (!oldest || last_crash(each) < last_crash(oldest)))
            oldest = each;
    }
    if (!oldest)
        return NULL;
    *oldest = (struct suspect){.print = print};
    strcpy(oldest->module, record->module);
    if (print) {
        strcpy(oldest->method, record->method);
        strcpy(oldest->target, record->target);
    }
    return oldest;
}

/* Notes a crash; in quarantine when it was the `most`th within the time that counts. */
static void count(struct suspect *suspect, unsigned most, const struct core *core)
{
    int64_t now = clock_fresh_ms();
    char text[96];

    suspect->times[suspect->crashes++ % SUSPECT_TIMES] = now;
    if (suspect->until || most == 0 || suspect->crashes < most ||
        now - suspect->times[(suspect->crashes - most) % SUSPECT_TIMES] > core->quarantine_within)
        return;
    suspect->until = now + core->quarantine_time;
    snprintf(text, sizeof(text), "has crashed %u times: answered by 503 for %lld s", most,
             (long long)core->quarantine_time / 1000);
    suspect_announce(suspect, LOG_QUARANTINE, text);
    tell_all(suspect);
    set_timer();
}

void quarantine_blame(const struct core *core, const struct words_record *record)
{
    struct suspect *suspect;

    if (!is_word(record->module, sizeof(record->module)))
        return;
    suspect = find(0, record);
    if (suspect)
        count(suspect, (unsigned)core->module_budget, core);
    if (record->fingerprint == 0 || !is_word(record->method, sizeof(record->method)) ||
        !is_word(record->target, sizeof(record->target)))
        return;
    suspect = find(record->fingerprint, record);
    if (suspect)
        count(suspect, (unsigned)core->quarantine_after, core);
}

/* ---------------------------------------------------------------- asked ------------ */

json_t *quarantine_list(void)
{
    json_t *list = json_array();
    int64_t now = clock_fresh_ms();

    for (int i = 0; i < SUSPECTS; i++)
        if (suspects[i].module[0])
            json_array_append_new(list, suspect_json(&suspects[i], now));
    return json_pack("{s:o}", "suspects", list);
}

unsigned quarantine_clear(void)
{
    unsigned cleared = 0;

    for (int i = 0; i < SUSPECTS; i++) {
        if (suspects[i].until) {
            suspects[i].until = 0;
            suspect_announce(&suspects[i], LOG_QUARANTINE_OVER, "is served again");
            tell_all(&suspects[i]);
            cleared++;
        }
        suspects[i] = (struct suspect){0};
    }
    set_timer();
    return cleared;
}

/* ---------------------------------------------------------------- carried ---------- */

json_t *quarantine_put(void)
{
    json_t *list = json_array();

    for (int i = 0; i < SUSPECTS; i++)
        if (suspects[i].until)
            json_array_append_new(list, suspect_put(&suspects[i]));
    return list;
}

void quarantine_restore(const json_t *list)
{
    const json_t *object;
    size_t i;

    json_array_foreach(list, i, object)
        if (i < SUSPECTS)
            suspect_restore(&suspects[i], object);
    set_timer();
}
