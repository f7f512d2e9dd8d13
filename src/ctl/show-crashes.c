/* Crashes for people: the list, one with its stack, and what is blamed. reevectl, one thread. */
#include "config.h"

#include <string.h>
#include <time.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"

void show_time(struct buf *out, const json_t *crash)
{
    time_t when = (time_t)json_int(crash, "time");
    struct tm parts;
    char text[32];

    if (localtime_r(&when, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0)
        buf_adds(out, text);
}

/* "GET /x?y", or what the board showed. */
static void put_request(struct buf *out, const json_t *crash)
{
    if (!*json_text(crash, "target")) {
        show_text(out, json_text(crash, "label"));
        return;
    }
    show_text(out, json_text(crash, "method"));
    buf_addc(out, ' ');
    show_text(out, json_text(crash, "target"));
}

static void list_row(struct table *table, const json_t *crash)
{
    struct buf text = {0};

    table_cell(table, PLAIN, "%lld", (long long)json_int(crash, "number"));
    show_time(&text, crash);
    table_cell_buf(table, PLAIN, &text);
    table_cell(table, PLAIN, "%lld", (long long)json_int(crash, "slot"));
    table_cell(table, PLAIN, "%lld", (long long)json_int(crash, "pid"));
    table_cell(table, RED, "%s", json_text(crash, "signal"));
    table_cell(table, PLAIN, "%s", json_text(crash, "module"));
    table_cell(table, PLAIN, "%s", json_text(crash, "route"));
    put_request(&text, crash);
    table_cell_buf(table, PLAIN, &text);
    buf_free(&text);
}

static void show_list(const json_t *list, bool colours, struct buf *out)
{
    static const struct column columns[] = {
        {"CRASH", true},   {"TIME", false},   {"SLOT", true},  {"PID", true},
        {"SIGNAL", false}, {"MODULE", false}, {"ROUTE", false}, {"REQUEST", false}};
    struct table table = {.columns = columns, .column_count = 8};
    const json_t *crash;
    size_t i;

    if (json_array_size(list) == 0) {
        buf_adds(out, "no crash is known\n");
        return;
    }
    json_array_foreach(list, i, crash)
        list_row(&table, crash);
    table_print(&table, colours, out);
    table_free(&table);
}

/* A line of its own, if there is anything. */
static void put_line(struct buf *out, const char *name, const json_t *crash, const char *key)
{
    const char *text = json_text(crash, key);

    if (!*text)
        return;
    buf_printf(out, "  %-9s", name);
    show_text(out, text);
    buf_addc(out, '\n');
}

void show_frame(struct buf *out, size_t index, const json_t *frame)
{
    const char *object = json_text(frame, "object"), *function = json_text(frame, "function");

    buf_printf(out, "  #%-3zu ", index);
    if (*function) {
        show_text(out, function);
        if (!*json_text(frame, "file"))
            buf_printf(out, "+0x%llx", (unsigned long long)json_int(frame, "distance"));
        buf_addc(out, ' ');
    }
    if (*json_text(frame, "file")) {
        buf_adds(out, "at ");
        show_text(out, json_text(frame, "file"));
        buf_printf(out, ":%lld ", (long long)json_int(frame, "line"));
    }
    if (*object) {
        buf_adds(out, *function ? "(" : "");
        show_text(out, object);
        buf_addc(out, '+');
        show_text(out, json_text(frame, "offset"));
        buf_adds(out, *function ? ")" : "");
    } else {
        show_text(out, json_text(frame, "address"));
    }
    buf_addc(out, '\n');
}

static void put_process(struct buf *out, const json_t *crash)
{
    buf_printf(out, "  %-9s%lld, slot %lld of generation %lld", "process",
               (long long)json_int(crash, "pid"), (long long)json_int(crash, "slot"),
               (long long)json_int(crash, "generation"));
    if (json_object_get(crash, "uptime_ms"))
        buf_printf(out, ", up for %.3f s", json_number(crash, "uptime_ms") / 1000);
    buf_addc(out, '\n');
    if (!json_object_get(crash, "tid")) {
        buf_adds(out, "  it has left no last words\n");
        return;
    }
    buf_printf(out, "  %-9s", "thread");
    show_text(out, json_text(crash, "thread_name"));
    buf_printf(out, " (%lld), record %lld of the board\n", (long long)json_int(crash, "tid"),
               (long long)json_int(crash, "thread"));
}

static void show_one(const json_t *crash, bool colours, struct buf *out)
{
    struct buf text = {0};
    const json_t *frame;
    size_t i;

    buf_printf(&text, "crash %lld", (long long)json_int(crash, "number"));
    colour_put(out, BOLD, colours, buf_text(&text));
    buf_free(&text);
    buf_adds(out, ", ");
    show_time(out, crash);
    buf_adds(out, ": ");
    show_text(out, json_text(crash, "signal"));
    if (*json_text(crash, "address")) {
        buf_adds(out, " at ");
        show_text(out, json_text(crash, "address"));
    }
    buf_addc(out, '\n');
    put_process(out, crash);
    put_line(out, "call", crash, "system_call");
    put_line(out, "protocol", crash, "protocol");
    put_line(out, "module", crash, "module");
    put_line(out, "site", crash, "site");
    put_line(out, "route", crash, "route");
    if (*json_text(crash, "target") || *json_text(crash, "label")) {
        buf_printf(out, "  %-9s", "request");
        put_request(out, crash);
        buf_addc(out, '\n');
    }
    put_line(out, "client", crash, "peer");
    put_line(out, "print", crash, "fingerprint");
    json_array_foreach(json_object_get(crash, "frames"), i, frame)
        show_frame(out, i, frame);
}

void show_crashes(const json_t *data, bool colours, struct buf *out)
{
    const json_t *one = json_object_get(data, "crash");

    if (one)
        show_one(one, colours, out);
    else
        show_list(json_object_get(data, "crashes"), colours, out);
}

void show_quarantine(const json_t *data, bool colours, struct buf *out)
{
    static const struct column columns[] = {
        {"CRASHES", true}, {"REFUSED FOR", true}, {"MODULE", false}, {"REQUEST", false}};
    struct table table = {.columns = columns, .column_count = 4};
    const json_t *list = json_object_get(data, "suspects"), *row;
    struct buf text = {0};
    size_t i;

    if (json_array_size(list) == 0) {
        buf_adds(out, "nothing is in quarantine, nothing is suspected\n");
        return;
    }
    json_array_foreach(list, i, row) {
        int64_t left = json_int(row, "seconds_left");

        table_cell(&table, PLAIN, "%lld", (long long)json_int(row, "crashes"));
        if (left > 0)
            table_cell(&table, RED, "%lld s", (long long)left);
        else
            table_cell(&table, PLAIN, "-");
        table_cell(&table, PLAIN, "%s", json_text(row, "module"));
        put_request(&text, row);
        table_cell_buf(&table, PLAIN, &text);
    }
    table_print(&table, colours, out);
    table_free(&table);
    buf_free(&text);
}
