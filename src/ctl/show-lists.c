/* The short answers for people: generations, listeners, modules, version. reevectl, one thread. */
#include "config.h"

#include <time.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"

static void text_cell(struct table *table, const json_t *row, const char *key)
{
    table_cell(table, PLAIN, "%s", json_text(row, key));
}

static void int_cell(struct table *table, const json_t *row, const char *key)
{
    table_cell(table, PLAIN, "%lld", (long long)json_int(row, key));
}

/* Seconds since the epoch as local time. */
static void time_cell(struct table *table, const json_t *row, const char *key)
{
    time_t when = (time_t)json_int(row, key);
    struct tm parts;
    char text[32];

    if (when > 0 && localtime_r(&when, &parts) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0)
        table_cell(table, PLAIN, "%s", text);
    else
        table_cell(table, PLAIN, "-");
}

/* "KEPT FOR ROLLBACK" and a table. */
static void show_kept(const json_t *kept, bool colours, struct buf *out)
{
    static const struct column columns[] = {
        {"GENERATION", true}, {"SERVED FROM", false}, {"", false}};
    struct table table = {.columns = columns, .column_count = 3};
    const json_t *row;
    size_t i;

    if (json_array_size(kept) == 0)
        return;
    buf_addc(out, '\n');
    colour_put(out, BOLD, colours, "CONFIGURATIONS KEPT FOR ROLLBACK");
    buf_addc(out, '\n');
    json_array_foreach(kept, i, row) {
        int_cell(&table, row, "number");
        time_cell(&table, row, "since");
        table_cell(&table, PLAIN, "%s",
                   json_is_true(json_object_get(row, "rolled_back")) ? "rolled back" : "");
    }
    table_print(&table, colours, out);
    table_free(&table);
}

void show_generations(const json_t *data, bool colours, struct buf *out)
{
    static const struct column columns[] = {
        {"GENERATION", true}, {"STATE", false}, {"WORKERS", true}, {"SINCE", false}};
    struct table table = {.columns = columns, .column_count = 4};
    const json_t *operations = json_object_get(data, "operations");
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(data, "generations"), i, row) {
        int_cell(&table, row, "number");
        show_state_cell(&table, json_text(row, "state"));
        int_cell(&table, row, "workers");
        time_cell(&table, row, "since");
    }
    table_print(&table, colours, out);
    table_free(&table);
    show_kept(json_object_get(data, "kept"), colours, out);
    if (json_array_size(operations) > 0) {
        buf_addc(out, '\n');
        colour_put(out, BOLD, colours, "OPERATIONS");
        buf_addc(out, '\n');
    }
    json_array_foreach(operations, i, row) {
        show_operation(row, colours, out);
        buf_addc(out, '\n');
    }
}

void show_listeners(const json_t *data, bool colours, struct buf *out)
{
    static const struct column columns[] = {{"ADDRESS", false}, {"BOUND", false},
                                            {"PROTOCOL", false}, {"BACKLOG", true},
                                            {"WAITING", true},   {"ORIGIN", false}};
    struct table table = {.columns = columns, .column_count = 6};
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(data, "listeners"), i, row) {
        text_cell(&table, row, "address");
        text_cell(&table, row, "bound");
        text_cell(&table, row, "protocol");
        int_cell(&table, row, "backlog");
        if (json_is_integer(json_object_get(row, "waiting")))
            int_cell(&table, row, "waiting");
        else
            table_cell(&table, PLAIN, "-");
        text_cell(&table, row, "origin");
    }
    table_print(&table, colours, out);
    table_free(&table);
}

void show_modules(const json_t *data, bool colours, struct buf *out)
{
    static const struct column columns[] = {{"KIND", false}, {"NAME", false}, {"VERSION", false}};
    struct table table = {.columns = columns, .column_count = 3};
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(data, "modules"), i, row) {
        text_cell(&table, row, "kind");
        text_cell(&table, row, "name");
        text_cell(&table, row, "version");
    }
    table_print(&table, colours, out);
    table_free(&table);
}

/* Numbers may come as numbers or as text. */
static void put_value(struct buf *out, const json_t *data, const char *key)
{
    if (json_is_string(json_object_get(data, key)))
        show_text(out, json_text(data, key));
    else
        buf_printf(out, "%lld", (long long)json_int(data, key));
}

void show_version(const json_t *data, bool colours, struct buf *out)
{
    (void)colours;
    buf_adds(out, "reeved    ");
    put_value(out, data, "version");
    buf_adds(out, "  (module interface ");
    put_value(out, data, "api");
    buf_adds(out, ", control protocol ");
    put_value(out, data, "protocol");
    buf_printf(out, ")\nreevectl  %s  (control protocol %d)\n", PACKAGE_VERSION, CONTROL_PROTOCOL);
}
