/* Aligned columns of text, with colours where a terminal shows them. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H
#include <stdbool.h>
#include <stddef.h>

struct buf;

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, COLOURS };

struct column {
    const char *title;
    bool right; /* numbers stand at the right */
};

struct cell {
    char *text; /* owned */
    enum colour colour;
};

/* Filled cell by cell, row by row. Zero it, set columns and column_count, table_free at the end. */
struct table {
    const struct column *columns;
    size_t column_count;
    struct cell *cells;
    size_t count, room;
};

/* Makes what came from outside harmless for a terminal. */
void table_cell(struct table *table, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with what was written to `text`, which is emptied. */
void table_cell_buf(struct table *table, enum colour colour, struct buf *text);
void table_print(const struct table *table, bool colours, struct buf *out);
void table_free(struct table *table);

/* Appends `text`, which must be harmless already, in a colour. */
void colour_put(struct buf *out, enum colour colour, bool colours, const char *text);
#endif
