/* A growable string of bytes. Owner: whoever declared it; buf_free() at the end. After a failed
 * allocation `failed` is set and stays set, further appends do nothing: check once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* always NUL-terminated when length > 0 or after buf_text() */
    size_t length;
    size_t room;
    bool failed;
};

void buf_add(struct buf *buf, const void *data, size_t length);
void buf_adds(struct buf *buf, const char *text);
void buf_addc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
void buf_drop(struct buf *buf, size_t length); /* removes the first `length` bytes */
void buf_clear(struct buf *buf);               /* empties, keeps the memory */
void buf_free(struct buf *buf);                /* frees, and empties */
const char *buf_text(const struct buf *buf);   /* "" when empty */
char *buf_take(struct buf *buf);               /* gives the text away (caller frees), empties */
#endif
