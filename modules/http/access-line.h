/* A line of the access log while it is built: on the stack, so that nothing is allocated. */
#ifndef HTTP_ACCESS_LINE_H
#define HTTP_ACCESS_LINE_H
#include "request.h"

#define ACCESS_LINE 14336 /* more than all texts of a line may take, and what stands between them */
#define ACCESS_TEXT 2048  /* most bytes that a text of the client's takes in the line */

struct line {
    char data[ACCESS_LINE];
    size_t length;
};

static inline void line_put(struct line *line, const char *data, size_t length)
{
    memcpy(line->data + line->length, data, length);
    line->length += length;
}

static inline void line_text(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

static inline void line_number(struct line *line, uint64_t number)
{
    char digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    line_put(line, digits + n, sizeof digits - n);
}

/* access.c: bytes of the body. */
size_t access_bytes(const struct request *request);
/* access.c: how long the first line is of what there is of a request. */
size_t access_first_line(const char *raw, size_t length);
/* access-json.c: the whole line; `raw` as in access_log(). */
void access_json(struct line *line, struct request *request, const char *raw, size_t length);
#endif
