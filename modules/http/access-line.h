/* A line of the access log while it is built: on the stack, so that nothing is allocated. */
#ifndef HTTP_ACCESS_LINE_H
#define HTTP_ACCESS_LINE_H
#include <string.h>

#include "answer.h"
#include "request.h"

#define ACCESS_LINE 14336 /* more than all texts of a line may take, and what stands between them */
#define ACCESS_TEXT 2048  /* most bytes that a text of the client's takes in the line */

struct line {
    char *at; /* where it goes on */
};

static inline void line_put(struct line *line, const char *data, size_t length)
{
    memcpy(line->at, data, length);
    line->at += length;
}

static inline void line_text(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

/* With zeros in front where it has fewer digits than `least`. */
static inline void line_number(struct line *line, uint64_t number, size_t least)
{
    char digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + number % 10);
    while ((number /= 10) > 0 || sizeof digits - n < least);
    line_put(line, digits + n, sizeof digits - n);
}

#define LINE_ONES 0x0101010101010101u

static inline bool line_is_safe(char character, unsigned char least)
{
    unsigned char c = (unsigned char)character;
    return c >= least && c < 0x7f && c != '"' && c != '\\';
}

/* Not 0 if one of eight characters is not safe. (What is subtracted takes from the next byte only
 * where one is found.) */
static inline uint64_t line_unsafe(uint64_t word, unsigned char least)
{
    uint64_t below = (word - LINE_ONES * least) | ((word ^ LINE_ONES * '"') - LINE_ONES) |
                     ((word ^ LINE_ONES * '\\') - LINE_ONES) |
                     ((word ^ LINE_ONES * 0x7f) - LINE_ONES);
    return (below | word) & LINE_ONES * 0x80;
}

/* Copies characters as long as none is a control, a quote, a backslash, beyond ASCII or below
 * `least`; how many. They may be most of what the line is made of, so eight at once. */
static inline size_t line_copy_safe(char *to, const char *data, size_t length, unsigned char least)
{
    size_t n = 0;
    for (uint64_t word; length - n >= sizeof word; n += sizeof word) {
        memcpy(&word, data + n, sizeof word);
        if (line_unsafe(word, least) != 0)
            break;
        memcpy(to + n, &word, sizeof word);
    }
    for (; n < length && line_is_safe(data[n], least); n++)
        to[n] = data[n];
    return n;
}

/* Bytes of the body. */
static inline size_t access_bytes(const struct request *request)
{
    const struct answer *answer = &request->answer;
    return request->headless || answer_is_bare(answer->status) ? 0 : answer->length;
}

/* How long the first line is of what there is of a request. */
static inline size_t access_first_line(const char *raw, size_t length)
{
    size_t end = 0;
    while (end < length && raw[end] != '\r' && raw[end] != '\n')
        end++;
    return end;
}

/* access-json.c: the whole line; `raw` as in access_log(). */
void access_json(struct line *line, struct request *request, const char *raw, size_t length);
#endif
