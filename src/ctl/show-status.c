/* The answer of `status` for people: a head, and the generations; the tables of the workers are in
 * show-workers.c. reevectl, one thread. */
#include "config.h"

#include <string.h>
#include <time.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"
#include "ctl/units.h"

static void put_label(struct buf *out, bool colours, const char *label)
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
    put_label(out, colours, "sizing");
    show_text(out, json_text(sizing, "why"));
    if (json_is_object(range))
        buf_printf(out, "; now %lld of %lld threads spare (%lld to %lld), workers %lld to %lld",
                   (long long)json_int(range, "spare"), (long long)json_int(range, "threads"),
                   (long long)json_int(range, "spare_min"), (long long)json_int(range, "spare_max"),
                   (long long)json_int(range, "workers_min"),
                   (long long)json_int(range, "workers_max"));
    buf_addc(out, '\n');
}

static void put_requests(struct buf *out, const json_t *data, const json_t *totals, bool colours)
{
    int64_t errors = json_int(totals, "errors"), shed = json_int(totals, "shed");

    put_label(out, colours, "requests");
    units_put_count(out, json_int(totals, "requests"));
    buf_adds(out, ", ");
    units_put_rate(out, json_number(data, "rate"));
    if (errors > 0) {
        buf_adds(out, ", ");
        units_put_count(out, errors);
        buf_adds(out, " failed (5xx)");
    }
    if (shed > 0) { /* answered with 503, they have failed */
        buf_adds(out, ", ");
        units_put_count(out, shed);
        buf_adds(out, errors >= shed ? " of these refused: overload" : " refused: overload");
    }
    buf_addc(out, '\n');
}

static void put_connections(struct buf *out, const json_t *totals, bool colours)
{
    put_label(out, colours, "connections");
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
}

static void put_totals(struct buf *out, const json_t *data, bool colours)
{
    const json_t *totals = json_object_get(data, "totals");

    put_requests(out, data, totals, colours);
    put_connections(out, totals, colours);
    put_label(out, colours, "sent");
    units_put_bytes(out, json_int(totals, "bytes"));
    buf_addc(out, '\n');
    put_label(out, colours, "restarts");
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
    put_label(out, colours, "sandbox");
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
    put_label(out, colours, "lost");
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
    put_label(out, colours, "probation");
    buf_printf(out, "generation %lld, %lld s left; %lld crashes, %lld of %lld requests failed "
               "(5xx); generation %lld is kept warm\n",
               (long long)json_int(probation, "generation"),
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
        put_label(out, colours, "last operation");
        show_operation(operation, colours, out);
        buf_addc(out, '\n');
    }
    put_label(out, colours, "last error");
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
            put_label(out, colours, "");
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

void show_status(const json_t *data, const struct before *before, bool colours, struct buf *out)
{
    put_identity(out, data, colours);
    put_label(out, colours, "configuration");
    show_text(out, json_text(data, "config"));
    buf_addc(out, '\n');
    put_label(out, colours, "model");
    show_model(data, out);
    buf_addc(out, '\n');
    put_sizing(out, data, colours);
    put_sandbox(out, data, colours);
    put_totals(out, data, colours);
    put_lost(out, data, colours);
    put_probation(out, data, colours);
    put_last(out, data, colours);
    put_generations(out, data, colours);
    show_workers(data, before, colours, out);
    show_current(data, colours, out);
}
