/* The tables of `status` for people: the workers, and the requests that they have in hand.
 * reevectl, one thread. */
#include "config.h"

#include <stdlib.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"
#include "ctl/units.h"

/* ---------------------------------------------------------------- workers ---------- */

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

/* By slot, the older process first: so a row stays where it was when a worker is replaced. */
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

void show_workers(const json_t *data, const struct before *before, bool colours, struct buf *out)
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

/* ---------------------------------------------------------------- in hand ---------- */

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

void show_current(const json_t *data, bool colours, struct buf *out)
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
