/* Aligned columns: a table collects its cells, then prints them at the widths they need. reevectl,
 * one thread. The table owns the cells' texts; they have passed text_put_safe(), since labels of
 * requests are in them and those are written by strangers. */
#include "config.h"

#include "ctl/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const char *const escapes[COLOURS] = {
    [PLAIN] = "",           [BOLD] = "\033[1m",    [DIM] = "\033[2m",
    [RED] = "\033[31m",     [GREEN] = "\033[32m",  [YELLOW] = "\033[33m",
};

void colour_put(struct buf *out, enum colour colour, bool colours, const char *text)
{
    if (!colours || colour == PLAIN || text[0] == '\0') {
        buf_adds(out, text);
        return;
    }
    buf_adds(out, escapes[colour]);
    buf_adds(out, text);
    buf_adds(out, "\033[0m");
}

/* Columns on the screen: bytes that go on a UTF-8 character take none. */
static size_t width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void add(struct table *table, enum colour colour, const char *text)
{
    struct buf safe = {0};
    char *own;

    text_put_safe(&safe, text, strlen(text));
    own = buf_take(&safe);
    if (own && table->count == table->room) {
        size_t room = table->room ? table->room * 2 : 64;
        struct cell *cells = reallocarray(table->cells, room, sizeof *cells);

        if (!cells) {
            free(own);
            return;
        }
        table->cells = cells;
        table->room = room;
    }
    if (own)
        table->cells[table->count++] = (struct cell){own, colour};
}

void table_cell(struct table *table, enum colour colour, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    add(table, colour, buf_text(&text));
    buf_free(&text);
}

void table_cell_buf(struct table *table, enum colour colour, struct buf *text)
{
    add(table, colour, buf_text(text));
    buf_clear(text);
}

static void put_padded(struct buf *out, const char *text, enum colour colour, bool colours,
                       size_t room, bool right, bool last)
{
    size_t pad = room - width(text);

    if (right)
        for (size_t i = 0; i < pad; i++)
            buf_addc(out, ' ');
    colour_put(out, colour, colours, text);
    if (last) {
        buf_addc(out, '\n');
        return;
    }
    for (size_t i = right ? pad : 0; i < pad + 2; i++)
        buf_addc(out, ' ');
}

void table_print(const struct table *table, bool colours, struct buf *out)
{
    size_t n = table->column_count;
    size_t *widths = calloc(n ? n : 1, sizeof *widths);

    if (!widths)
        return;
    for (size_t i = 0; i < n; i++)
        widths[i] = width(table->columns[i].title);
    for (size_t i = 0; i < table->count; i++) {
        size_t w = width(table->cells[i].text);

        if (w > widths[i % n])
            widths[i % n] = w;
    }
    for (size_t i = 0; i < n; i++)
        put_padded(out, table->columns[i].title, BOLD, colours, widths[i], table->columns[i].right,
                   i + 1 == n);
    for (size_t i = 0; i < table->count; i++)
        put_padded(out, table->cells[i].text, table->cells[i].colour, colours, widths[i % n],
                   table->columns[i % n].right, (i + 1) % n == 0);
    free(widths);
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){0};
}
