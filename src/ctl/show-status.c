/* The answer of `status` for people: a head, the generations, the workers, and what they are at.
 * reevectl, one thread. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"
#include "ctl/units.h"

void show_label(struct buf *out, bool colours, const char *label)
{
    struct buf padded = {0};

    buf_printf(&padded, "%-15s", label);
    colour_put(out, DIM, colours, buf_text(&padded));
    buf_free(&padded);
}

static void put_state(struct buf *out, bool colours, const char *state)
{
    struct buf safe = {0};

    show_text(&safe, state);
    colour_put(out, strcmp(state, "serving") == 0 ? GREEN : YELLOW, colours, buf_text(&safe));
    buf_free(&safe);
}

static void put_identity(struct buf *out, const json_t *data, bool colours)
{
    struct buf name = {0};

    buf_adds(&name, "reeved ");
    show_text(&name, json_text(data, "version"));
    colour_put(out, BOLD, colours, buf_text(&name));
    buf_free(&name);
    buf_adds(out, "  ");
    put_state(out, colours, json_text(data, "state"));
    buf_printf(out, "  pid %lld  up ", (long long)json_int(data, "pid"));
    units_put_uptime(out, json_int(data, "uptime"));
    buf_printf(out, "  generation %lld", (long long)json_int(data, "generation"));
    if (*json_text(data, "user")) {
        buf_adds(out, "  user ");
        show_text(out, json_text(data, "user"));
    }
    buf_addc(out, '\n');
}

/* Why there are so many workers; with a range also how many threads are spare. */
static void put_sizing(struct buf *out, const json_t *data, bool colours)
{
    const json_t *sizing = json_object_get(data, "sizing");
    const json_t *range = json_object_get(sizing, "range");

    if (!json_is_object(sizing))
        return;
    show_label(out, colours, "sizing");
    show_text(out, json_text(sizing, "why"));
    if (json_is_object(range))
        buf_printf(out, "; now %lld of %lld threads spare (%lld to %lld), workers %lld to %lld",
                   (long long)json_int(range, "spare"), (long long)json_int(range, "threads"),
                   (long long)json_int(range, "spare_min"), (long long)json_int(range, "spare_max"),
                   (long long)json_int(range, "workers_min"),
                   (long long)json_int(range, "workers_max"));
    buf_addc(out, '\n');
}

static void put_totals(struct buf *out, const json_t *data, bool colours)
{
    const json_t *totals = json_object_get(data, "totals");

    show_label(out, colours, "requests");
    units_put_count(out, json_int(totals, "requests"));
    buf_adds(out, ", ");
    units_put_rate(out, json_number(data, "rate"));
    if (json_int(totals, "errors") > 0) {
        buf_adds(out, ", ");
        units_put_count(out, json_int(totals, "errors"));
        buf_adds(out, " failed (5xx)");
    }
    if (json_int(totals, "shed") > 0) { /* answered with 503, they have failed */
        buf_adds(out, ", ");
        units_put_count(out, json_int(totals, "shed"));
        buf_adds(out, json_int(totals, "errors") >= json_int(totals, "shed")
                          ? " of these refused: overload" : " refused: overload");
    }
    buf_addc(out, '\n');
    show_label(out, colours, "connections");
    units_put_count(out, json_int(totals, "open"));
    buf_adds(out, " open, ");
    if (json_int(totals, "waiting") > 0) {
        units_put_count(out, json_int(totals, "waiting"));
        buf_adds(out, " waiting, ");
    }
    units_put_count(out, json_int(totals, "connections"));
    buf_adds(out, " accepted");
    if (json_int(totals, "moved") > 0) {
        buf_adds(out, ", ");
        units_put_count(out, json_int(totals, "moved"));
        buf_adds(out, " moved");
    }
    if (json_int(totals, "refused") > 0) {
        buf_adds(out, ", ");
        units_put_count(out, json_int(totals, "refused"));
        buf_adds(out, " refused: too many of one client");
    }
    buf_addc(out, '\n');
    show_label(out, colours, "sent");
    units_put_bytes(out, json_int(totals, "bytes"));
    buf_addc(out, '\n');
    show_label(out, colours, "restarts");
    units_put_count(out, json_int(totals, "restarts"));
    buf_addc(out, '\n');
}

/* What the workers are really kept from, and what that has refused. */
static void put_sandbox(struct buf *out, const json_t *data, bool colours)
{
    const json_t *sandbox = json_object_get(data, "sandbox");
    bool files = json_is_true(json_object_get(sandbox, "files"));
    bool calls = json_is_true(json_object_get(sandbox, "calls"));

    if (!json_is_object(sandbox))
        return;
    show_label(out, colours, "sandbox");
    show_text(out, json_text(sandbox, "level"));
    if (calls)
        buf_printf(out, ": %ssystem calls", files ? "files and " : "");
    if (json_int(sandbox, "refused") > 0)
        buf_printf(out, ", %lld refused", (long long)json_int(sandbox, "refused"));
    if (*json_text(sandbox, "note")) {
        buf_adds(out, "; ");
        show_text(out, json_text(sandbox, "note"));
    }
    buf_addc(out, '\n');
}

/* Only while there are any. */
static void put_lost(struct buf *out, const json_t *data, bool colours)
{
    struct buf text = {0};
    const json_t *worker;
    int64_t lost = 0;
    size_t i;

    json_array_foreach(json_object_get(data, "workers"), i, worker)
        lost += json_int(worker, "lost");
    if (lost <= 0)
        return;
    buf_printf(&text, "%lld thread%s in handlers that do not return; 'reevectl slow' tells where",
               (long long)lost, lost == 1 ? "" : "s");
    show_label(out, colours, "lost");
    colour_put(out, RED, colours, buf_text(&text));
    buf_addc(out, '\n');
    buf_free(&text);
}

/* Only while there is one. */
static void put_probation(struct buf *out, const json_t *data, bool colours)
{
    const json_t *probation = json_object_get(data, "probation");

    if (!json_is_object(probation))
        return;
    show_label(out, colours, "probation");
    buf_printf(out, "generation %lld, %lld s left; %lld crashes, %lld of %lld requests failed (5xx); "
               "generation %lld is kept warm\n", (long long)json_int(probation, "generation"),
               (long long)json_int(probation, "left"), (long long)json_int(probation, "crashes"),
               (long long)json_int(probation, "errors"), (long long)json_int(probation, "requests"),
               (long long)json_int(probation, "warm"));
}

/* "5m 3s ago: ", so that an old error is not taken for the trouble of now. */
static void put_age(struct buf *out, int64_t when)
{
    if (when <= 0)
        return;
    units_put_uptime(out, time(NULL) - when);
    buf_adds(out, " ago: ");
}

static void put_last(struct buf *out, const json_t *data, bool colours)
{
    const json_t *operation = json_object_get(data, "last_operation");
    const char *error = json_text(data, "last_error");

    if (json_is_object(operation)) {
        show_label(out, colours, "last operation");
        show_operation(operation, colours, out);
        buf_addc(out, '\n');
    }
    show_label(out, colours, "last error");
    if (!*error)
        buf_adds(out, "none\n");
    else
        put_age(out, json_int(data, "last_error_time"));
    while (*error) {
        size_t length = strcspn(error, "\n");
        struct buf line = {0};
        struct buf safe = {0};

        buf_add(&line, error, length);
        show_text(&safe, buf_text(&line));
        colour_put(out, RED, colours, buf_text(&safe));
        buf_addc(out, '\n');
        buf_free(&line);
        buf_free(&safe);
        error += length + (error[length] == '\n');
        if (*error)
            show_label(out, colours, "");
    }
}

static void put_generations(struct buf *out, const json_t *data, bool colours)
{
    static const struct column columns[] = {
        {"GENERATION", true}, {"STATE", false}, {"WORKERS", true}};
    struct table table = {.columns = columns, .column_count = 3};
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(data, "generations"), i, row) {
        table_cell(&table, PLAIN, "%lld", (long long)json_int(row, "number"));
        show_state_cell(&table, json_text(row, "state"));
        table_cell(&table, PLAIN, "%lld", (long long)json_int(row, "workers"));
    }
    buf_addc(out, '\n');
    table_print(&table, colours, out);
    table_free(&table);
}

/* Requests a second of this worker since the data before, by its PID; false: it was not there. */
static bool worker_rate(const json_t *worker, const struct before *before, double *rate)
{
    const json_t *old;
    size_t i;

    if (!before || !before->data || before->seconds <= 0)
        return false;
    json_array_foreach(json_object_get(before->data, "workers"), i, old) {
        if (json_int(old, "pid") == json_int(worker, "pid")) {
            int64_t more = json_int(worker, "requests") - json_int(old, "requests");

            *rate = more < 0 ? 0 : (double)more / before->seconds;
            return true;
        }
    }
    return false;
}

static void worker_row(struct table *table, const json_t *worker, const struct before *before)
{
    int64_t restarts = json_int(worker, "restarts");
    struct buf text = {0};
    double rate;

    table_cell(table, PLAIN, "%lld", (long long)json_int(worker, "slot"));
    table_cell(table, PLAIN, "%lld", (long long)json_int(worker, "pid"));
    show_state_cell(table, json_text(worker, "state"));
    table_cell(table, PLAIN, "%lld", (long long)json_int(worker, "generation"));
    units_put_uptime(&text, json_int(worker, "uptime"));
    table_cell_buf(table, PLAIN, &text);
    table_cell(table, PLAIN, "%lld/%lld", (long long)json_int(worker, "busy"),
               (long long)(json_int(worker, "threads") + json_int(worker, "processes")));
    units_put_count(&text, json_int(worker, "connections"));
    table_cell_buf(table, PLAIN, &text);
    units_put_count(&text, json_int(worker, "requests"));
    table_cell_buf(table, PLAIN, &text);
    if (before) {
        if (worker_rate(worker, before, &rate))
            units_put_rate(&text, rate);
        else
            buf_addc(&text, '-');
        table_cell_buf(table, PLAIN, &text);
    }
    units_put_bytes(&text, json_int(worker, "bytes"));
    table_cell_buf(table, PLAIN, &text);
    table_cell(table, restarts ? YELLOW : PLAIN, "%lld", (long long)restarts);
    buf_free(&text);
}

/* By slot, the older process first: so a row stays where it was when a
 * worker is replaced. */
static int slot_order(const void *left, const void *right)
{
    const json_t *a = *(const json_t *const *)left, *b = *(const json_t *const *)right;
    int64_t by_slot = json_int(a, "slot") - json_int(b, "slot");
    int64_t by_pid = json_int(a, "pid") - json_int(b, "pid");

    return by_slot ? (by_slot > 0) - (by_slot < 0) : (by_pid > 0) - (by_pid < 0);
}

static void worker_rows(struct table *table, const json_t *workers, const struct before *before)
{
    size_t count = json_array_size(workers);
    const json_t **rows = calloc(count ? count : 1, sizeof *rows);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++)
        rows[i] = json_array_get(workers, i);
    qsort(rows, count, sizeof *rows, slot_order);
    for (size_t i = 0; i < count; i++)
        worker_row(table, rows[i], before);
    free(rows);
}

static void put_workers(struct buf *out, const json_t *data, const struct before *before,
                        bool colours)
{
    static const struct column plain[] = {
        {"SLOT", true}, {"PID", true},         {"STATE", false},   {"GENERATION", true},
        {"UP", false},  {"BUSY", true},        {"CONNECTIONS", true}, {"REQUESTS", true},
        {"SENT", true}, {"RESTARTS", true}};
    static const struct column watched[] = {
        {"SLOT", true}, {"PID", true},  {"STATE", false},      {"GENERATION", true},
        {"UP", false},  {"BUSY", true}, {"CONNECTIONS", true}, {"REQUESTS", true},
        {"RATE", true}, {"SENT", true}, {"RESTARTS", true}};
    struct table table = {.columns = before ? watched : plain, .column_count = before ? 11 : 10};

    worker_rows(&table, json_object_get(data, "workers"), before);
    buf_addc(out, '\n');
    table_print(&table, colours, out);
    table_free(&table);
}

/* A busy thread of some worker. */
struct busy {
    const json_t *worker, *thread;
};

static int longest_first(const void *left, const void *right)
{
    int64_t a = json_int(((const struct busy *)left)->thread, "busy_ms");
    int64_t b = json_int(((const struct busy *)right)->thread, "busy_ms");

    return (a < b) - (a > b);
}

static size_t busy_list(const json_t *data, struct busy **list)
{
    const json_t *worker, *thread;
    size_t i, k, room = 0, count = 0;

    json_array_foreach(json_object_get(data, "workers"), i, worker)
        room += json_array_size(json_object_get(worker, "current"));
    *list = calloc(room ? room : 1, sizeof **list);
    if (!*list)
        return 0;
    json_array_foreach(json_object_get(data, "workers"), i, worker)
        json_array_foreach(json_object_get(worker, "current"), k, thread)
            (*list)[count++] = (struct busy){worker, thread};
    qsort(*list, count, sizeof **list, longest_first);
    return count;
}

/* "-" if it is not known. */
static void known_cell(struct table *table, const char *text)
{
    table_cell(table, PLAIN, "%s", *text ? text : "-");
}

static void busy_row(struct table *table, const struct busy *busy)
{
    const json_t *thread = busy->thread;
    bool lost = json_is_true(json_object_get(thread, "lost"));
    struct buf text = {0};

    table_cell(table, PLAIN, "%lld", (long long)json_int(busy->worker, "slot"));
    if (json_int(thread, "pid") > 0)
        table_cell(table, PLAIN, "pid %lld", (long long)json_int(thread, "pid"));
    else
        table_cell(table, lost ? RED : PLAIN, "%lld%s", (long long)json_int(thread, "thread"),
                   lost ? " lost" : "");
    table_cell(table, PLAIN, "%s", json_text(thread, "protocol"));
    units_put_ms(&text, json_int(thread, "busy_ms"));
    table_cell_buf(table, lost ? RED : PLAIN, &text);
    known_cell(table, json_text(thread, "module"));
    known_cell(table, json_text(thread, "route"));
    table_cell(table, PLAIN, "%s", json_text(thread, "label"));
    buf_free(&text);
}

/* Requests in hand, of all workers. */
static void put_current(struct buf *out, const json_t *data, bool colours)
{
    static const struct column columns[] = {{"SLOT", true},      {"THREAD", false},
                                            {"PROTOCOL", false}, {"FOR", true},
                                            {"MODULE", false},   {"ROUTE", false},
                                            {"REQUEST", false}};
    struct table table = {.columns = columns, .column_count = 7};
    struct busy *list;
    size_t count = busy_list(data, &list);

    for (size_t i = 0; i < count; i++)
        busy_row(&table, &list[i]);
    if (table.count > 0) {
        buf_addc(out, '\n');
        table_print(&table, colours, out);
    }
    table_free(&table);
    free(list);
}

void show_status(const json_t *data, const struct before *before, bool colours, struct buf *out)
{
    put_identity(out, data, colours);
    show_label(out, colours, "configuration");
    show_text(out, json_text(data, "config"));
    buf_addc(out, '\n');
    show_label(out, colours, "model");
    show_model(data, out);
    buf_addc(out, '\n');
    put_sizing(out, data, colours);
    put_sandbox(out, data, colours);
    put_totals(out, data, colours);
    put_lost(out, data, colours);
    show_trouble(data, colours, out);
    put_probation(out, data, colours);
    put_last(out, data, colours);
    put_generations(out, data, colours);
    put_workers(out, data, before, colours);
    put_current(out, data, colours);
}
