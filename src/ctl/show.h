/* Answers for people. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H
#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "share/control.h"

struct table;

/* What the same verb showed before, for rates; zeroed at first. */
struct before {
    json_t *data; /* owned by whoever watches */
    double seconds;
};

/* Is this the answer to a question, whose data is what was asked for? */
bool show_has_data(enum verb verb, const json_t *result);
/* Writes the result of `verb` as text into `out`. */
void show_result(enum verb verb, const json_t *result, bool colours, struct buf *out);
void show_event(const json_t *event, bool colours, struct buf *out);
/* An event on the way to a result; nothing if it only repeats that. */
void show_step(const json_t *event, struct buf *out);

/* `before` may be NULL. */
void show_status(const json_t *data, const struct before *before, bool colours, struct buf *out);
/* Its tables: a row a worker; a row a request in hand, of all workers, or nothing. */
void show_workers(const json_t *data, const struct before *before, bool colours, struct buf *out);
void show_current(const json_t *data, bool colours, struct buf *out);
/* The model and its numbers in a sentence; they add up to what ps -L lists. */
void show_model(const json_t *data, struct buf *out);
void show_generations(const json_t *data, bool colours, struct buf *out);
void show_listeners(const json_t *data, bool colours, struct buf *out);
void show_modules(const json_t *data, bool colours, struct buf *out);
void show_version(const json_t *data, bool colours, struct buf *out);
void show_quarantine(const json_t *data, bool colours, struct buf *out);
void show_crashes(const json_t *data, bool colours, struct buf *out);

void show_stacks(const json_t *list, bool colours, struct buf *out);

/* show-crashes.c: when that was, and one frame of a stack in a line. */
void show_time(struct buf *out, const json_t *crash);
void show_frame(struct buf *out, size_t index, const json_t *frame);
/* show-text.c */
void show_state_cell(struct table *table, const char *state);
void show_operation(const json_t *operation, bool colours, struct buf *out);
/* Each line made harmless, with a newline at the end. */
void show_lines(struct buf *out, const char *text);
void show_text(struct buf *out, const char *text);  /* one text made harmless */
const char *show_code_name(int64_t code);
#endif
