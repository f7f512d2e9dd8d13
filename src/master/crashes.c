/* Crashes; see crashes.h.
 *
 * Master. What a worker has written is copied once, and judged here: each text has an end and is
 * made harmless, each number is checked against its range, an address is looked up in the worker's
 * own table of objects and never followed. A file that the table names is opened by reevectl only.
 * Memory: a crash is kept as what `crashes show` answers, the oldest goes first. */
#include "config.h"

#include "master/crashes.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "master/clean.h"
#include "master/generation.h"
#include "master/quarantine.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/calls.h"
#include "share/words.h"

static json_t *kept; /* array, oldest first */
static int64_t last_number;

static const struct {
    int signal;
    const char *name;
} names[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"},
             {SIGABRT, "SIGABRT"}, {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"}};

static const char *signal_name(int number)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].signal == number)
            return names[i].name;
    return NULL;
}

/* ---------------------------------------------------------------- reading ---------- */

#define CLEAN(field) clean_json((field), sizeof(field))

static json_t *hex(uint64_t number)
{
    return json_sprintf("0x%" PRIx64, number);
}

static json_t *id_json(const struct words_object *object)
{
    char text[2 * WORDS_ID + 1] = "";

    for (uint32_t i = 0; i < object->id_length && i < WORDS_ID; i++)
        snprintf(text + 2 * i, 3, "%02x", object->id[i]);
    return json_string(text);
}

static json_t *frame_json(const struct words_area *words, uint64_t address)
{
    for (uint32_t i = 0; i < words->objects && i < WORDS_OBJECTS; i++) {
        const struct words_object *object = &words->object[i];

        if (address >= object->start && address < object->end)
            return json_pack("{s:o,s:o,s:o}", "object", CLEAN(object->path), "build_id",
                             id_json(object), "offset", hex(address - object->base));
    }
    return json_pack("{s:o}", "address", hex(address));
}

static json_t *frames_json(const struct words_area *words, const struct words_record *record)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < record->frames && i < WORDS_FRAMES; i++)
        json_array_append_new(list, frame_json(words, record->frame[i]));
    return list;
}

/* Of that process; NULL: it has left none. */
static const struct words_record *find_record(const struct words_area *words, pid_t pid)
{
    for (int i = 0; i < WORDS_RECORDS; i++)
        if (words->record[i].pid == (uint32_t)pid && words->record[i].state != WORDS_NONE)
            return &words->record[i];
    return NULL;
}

struct words_area *crashes_read_words(const struct worker *worker)
{
    struct words_area *words = aligned_alloc(_Alignof(struct words_area), sizeof(*words));

    if (words && board_words_read(&master.board, worker->segment, words) == 0)
        return words;
    free(words);
    return NULL;
}

/* ---------------------------------------------------------------- keeping ---------- */

/* What the handler of the signal has left. */
void crashes_add_words(json_t *crash, const struct words_area *words,
                       const struct words_record *record)
{
    char call[48];
    json_t *more = json_pack(
        "{s:i,s:i,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "signal_code",
        (int)record->code, "thread", (int)record->thread, "thread_name", CLEAN(record->name), "tid",
        (json_int_t)record->tid, "uptime_ms", (json_int_t)(record->uptime < 0 ? 0 : record->uptime),
        "protocol", CLEAN(record->protocol), "label", CLEAN(record->label), "peer",
        CLEAN(record->peer), "module", CLEAN(record->module), "site", CLEAN(record->site), "route",
        CLEAN(record->route), "method", CLEAN(record->method), "target", CLEAN(record->target),
        "frames", frames_json(words, record), "complete", record->state == WORDS_DONE);

    json_object_update(crash, more);
    json_decref(more);
    if (record->fingerprint)
        json_object_set_new(crash, "fingerprint", json_sprintf("%016" PRIx64, record->fingerprint));
    if (record->signal == SIGSYS && record->code > 0 &&
        call_name((int)record->address, call, sizeof(call)))
        json_object_set_new(crash, "system_call", json_string(call));
    else if (record->code > 0 && record->signal != SIGABRT)
        json_object_set_new(crash, "address", hex(record->address));
}

static void put_text(struct buf *out, const json_t *crash, const char *before, const char *key)
{
    const char *text = json_string_value(json_object_get(crash, key));

    if (text && *text)
        buf_printf(out, "%s%s", before, text);
}

/* The innermost place that has a name. */
static void put_place(struct buf *out, const json_t *crash)
{
    const json_t *frame;
    size_t i;

    json_array_foreach(json_object_get(crash, "frames"), i, frame) {
        const char *object = json_string_value(json_object_get(frame, "object"));

        if (!object)
            continue;
        object = strrchr(object, '/') ? strrchr(object, '/') + 1 : object;
        buf_printf(out, ", in %s+%s", object,
                   json_string_value(json_object_get(frame, "offset")));
        return;
    }
}

static void announce(const struct worker *worker, const json_t *crash)
{
    struct buf text = {0};

    buf_printf(&text, "crash %lld: %s",
               (long long)json_integer_value(json_object_get(crash, "number")),
               json_string_value(json_object_get(crash, "signal")));
    put_text(&text, crash, " at ", "address");
    put_text(&text, crash, " by the system call ", "system_call");
    buf_printf(&text, " in worker %d of generation %u (pid %lld", worker->slot_index,
               worker->generation->number,
               (long long)json_integer_value(json_object_get(crash, "pid")));
    put_text(&text, crash, ", thread ", "thread_name");
    buf_addc(&text, ')');
    put_place(&text, crash);
    put_text(&text, crash, ": module ", "module");
    put_text(&text, crash, ", route ", "route");
    put_text(&text, crash, ", request ", "method");
    put_text(&text, crash, " ", "target");
    if (!json_string_length(json_object_get(crash, "target")))
        put_text(&text, crash, ", busy with ", "label");
    put_text(&text, crash, ", client ", "peer");
    say(LOG_CRASH, "%s", buf_text(&text));
    buf_free(&text);
}

static void keep(const struct worker *worker, pid_t pid, int number, const struct words_area *words)
{
    const struct words_record *record = words ? find_record(words, pid) : NULL;
    size_t limit = (size_t)worker->generation->core.crashes_kept;
    const char *name;
    json_t *crash;

    if (record && !number)
        number = record->signal;
    name = signal_name(number);
    if (!name)
        return; /* killed by somebody, or a record of no sense */
    crash = json_pack("{s:I,s:I,s:I,s:i,s:i,s:s}", "number", (json_int_t)++last_number, "time",
                      (json_int_t)time(NULL), "generation",
                      (json_int_t)worker->generation->number, "slot", worker->slot_index, "pid",
                      (int)pid, "signal", name);
    if (!crash)
        return;
    if (record)
        crashes_add_words(crash, words, record);
    announce(worker, crash);
    if (record)
        quarantine_blame(&worker->generation->core, record);
    if (!kept)
        kept = json_array();
    json_array_append_new(kept, crash);
    while (json_array_size(kept) > limit)
        json_array_remove(kept, 0);
}

void crashes_take(const struct worker *worker, int status)
{
    struct words_area *words;

    if (!WIFSIGNALED(status))
        return;
    words = crashes_read_words(worker);
    keep(worker, worker->pid, WTERMSIG(status), words);
    free(words);
}

void crashes_take_process(const struct worker *worker, pid_t pid)
{
    struct words_area *words = crashes_read_words(worker);

    keep(worker, pid, 0, words);
    free(words);
}

/* ---------------------------------------------------------------- asked ------------ */

json_t *crashes_list(void)
{
    json_t *list = json_array();
    json_t *crash;
    size_t i;

    json_array_foreach(kept, i, crash) {
        json_t *line = json_copy(crash);

        json_object_del(line, "frames");
        json_array_append_new(list, line);
    }
    return json_pack("{s:o}", "crashes", list);
}

json_t *crashes_show(int64_t number)
{
    json_t *crash;
    size_t i;

    json_array_foreach(kept, i, crash)
        if (json_integer_value(json_object_get(crash, "number")) == number)
            return json_pack("{s:O}", "crash", crash);
    return NULL;
}

unsigned crashes_clear(void)
{
    unsigned count = (unsigned)json_array_size(kept);

    json_array_clear(kept);
    return count;
}

/* ---------------------------------------------------------------- carried ---------- */

json_t *crashes_put(void)
{
    return json_pack("{s:I,s:o}", "last", (json_int_t)last_number, "kept",
                     kept ? json_incref(kept) : json_array());
}

void crashes_restore(const json_t *object)
{
    const json_t *list = json_object_get(object, "kept");

    last_number = json_integer_value(json_object_get(object, "last"));
    kept = json_is_array(list) ? json_deep_copy(list) : json_array();
}
