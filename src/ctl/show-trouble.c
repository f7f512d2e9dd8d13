/* What somebody should look at, in the answer of `status` for people: a line each, and which verb
 * tells more; nothing where nothing is wrong. reevectl, one thread. */
#include "config.h"

#include <time.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"
#include "ctl/units.h"

/* `text` is freed. */
static void put_line(struct buf *out, bool colours, const char *label, struct buf *text)
{
    show_label(out, colours, label);
    colour_put(out, RED, colours, buf_text(text));
    buf_addc(out, '\n');
    buf_free(text);
}

static const char *ending(int64_t count)
{
    return count == 1 ? "" : "s";
}

/* "4 known, the last 5s ago: SIGSEGV in module think, route /x; 'reevectl crashes' lists them" */
static void put_crashes(struct buf *out, const json_t *crashes, bool colours)
{
    const json_t *last = json_object_get(crashes, "last");
    struct buf text = {0};

    if (!json_is_object(last))
        return;
    buf_printf(&text, "%lld known, the last ", (long long)json_int(crashes, "kept"));
    units_put_uptime(&text, time(NULL) - json_int(last, "time"));
    buf_adds(&text, " ago: ");
    show_text(&text, json_text(last, "signal"));
    if (*json_text(last, "module")) {
        buf_adds(&text, " in module ");
        show_text(&text, json_text(last, "module"));
    }
    if (*json_text(last, "route")) {
        buf_adds(&text, ", route ");
        show_text(&text, json_text(last, "route"));
    }
    buf_adds(&text, "; 'reevectl crashes' lists them");
    put_line(out, colours, "crashes", &text);
}

static void put_quarantine(struct buf *out, const json_t *quarantine, bool colours)
{
    int64_t requests = json_int(quarantine, "requests"), modules = json_int(quarantine, "modules");
    struct buf text = {0};

    if (requests <= 0 && modules <= 0)
        return;
    if (modules > 0)
        buf_printf(&text, "%lld module%s%s", (long long)modules, ending(modules),
                   requests > 0 ? " and " : "");
    if (requests > 0)
        buf_printf(&text, "%lld request%s", (long long)requests, ending(requests));
    buf_adds(&text, " refused after crashes; 'reevectl quarantine' lists them");
    put_line(out, colours, "quarantine", &text);
}

/* Every worker that serves has all the connections that it may have, and more are waiting. */
static void put_full(struct buf *out, const json_t *data, bool colours)
{
    const json_t *numbers = json_object_get(data, "numbers"), *worker;
    int64_t room = json_int(numbers, "loops") * json_int(numbers, "connections");
    int64_t waiting = json_int(json_object_get(data, "totals"), "waiting");
    struct buf text = {0};
    size_t i;

    if (waiting <= 0 || room <= 0)
        return;
    if (json_is_string(json_object_get(numbers, "each")))
        room = json_int(numbers, "each_limit");
    json_array_foreach(json_object_get(data, "workers"), i, worker)
        if (json_int(worker, "generation") == json_int(data, "generation") &&
            json_int(worker, "connections") < room)
            return;
    buf_printf(&text, "every worker has its %lld connection%s, %lld more wait%s; reeve-models(7) "
               "tells what to raise", (long long)room, ending(room), (long long)waiting,
               waiting == 1 ? "s" : "");
    put_line(out, colours, "full", &text);
}

static void put_unlogged(struct buf *out, int64_t bytes, bool colours)
{
    struct buf text = {0};

    if (bytes <= 0)
        return;
    units_put_bytes(&text, bytes);
    buf_adds(&text, " of log lines lost: a log file did not take them; the error log says which "
             "(log-lost)");
    put_line(out, colours, "logs", &text);
}

void show_trouble(const json_t *data, bool colours, struct buf *out)
{
    put_full(out, data, colours);
    put_unlogged(out, json_int(json_object_get(data, "totals"), "log_lost"), colours);
    put_crashes(out, json_object_get(data, "crashes"), colours);
    put_quarantine(out, json_object_get(data, "quarantine"), colours);
}
