/* Small text helpers: sizes and durations as written in the configuration, nearest name, JSON and
 * log escaping. Pure functions, any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* "64KiB", "10M", "512" -> bytes. False if it is not a size or overflows. */
bool text_size(const char *text, int64_t *bytes);
/* "250ms", "5s", "2m", "1h", "1d", "30" (seconds) -> milliseconds. */
bool text_duration(const char *text, int64_t *ms);
/* A whole decimal number, nothing before or after it. */
bool text_int(const char *text, int64_t *value);
/* Bytes and milliseconds back to the shortest text that reads the same. */
void text_put_size(struct buf *out, int64_t bytes);
void text_put_duration(struct buf *out, int64_t ms);

/* Of `count` names the one that a person most likely meant by `word`, or NULL if none is near. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* Appends `length` bytes as the inside of a JSON string: always valid UTF-8 and one line. */
void text_put_json(struct buf *out, const char *data, size_t length);
/* Appends bytes so that they can neither break a log line nor drive a terminal. */
void text_put_safe(struct buf *out, const char *data, size_t length);

bool text_starts(const char *text, const char *prefix);
/* One word of `a|b|c` equals `word`. */
bool text_is_choice(const char *choices, const char *word);
#endif
