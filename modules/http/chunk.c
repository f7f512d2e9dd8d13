/* The chunked transfer coding, byte by byte except for the bytes of the chunks themselves.
 *
 * Extensions and trailers are checked and dropped; together they may take CHUNK_EXTRA bytes of a
 * body, so that a body of tiny chunks costs its sender more than it costs us.
 */
#include "config.h"

#include <stdbool.h>

#include "chunk.h"
#include "parse.h"

#define CHUNK_EXTRA 8192
#define CHUNK_DIGITS 15 /* of a size, leading zeros included: no overflow of 64 bits */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool size_byte(struct chunk *chunk, char c)
{
    int digit = hex(c);
    if (digit >= 0) {
        chunk->left = chunk->left * 16 + (unsigned)digit;
        return ++chunk->digits <= CHUNK_DIGITS;
    }
    chunk->stage = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
    return chunk->digits > 0 && (c == ';' || c == '\r');
}

/* A byte of a text that ends with CR: an extension or a trailer's value. */
static bool text_byte(struct chunk *chunk, char c, enum chunk_stage after)
{
    if (c == '\r') {
        chunk->stage = after;
        return true;
    }
    return parse_is_value(c);
}

static bool trailer_byte(struct chunk *chunk, char c)
{
    if (chunk->stage == CHUNK_TRAILER && c == '\r') {
        chunk->stage = CHUNK_LAST_LF;
        return true;
    }
    if (chunk->stage == CHUNK_TRAILER_NAME && c == ':') {
        chunk->stage = CHUNK_TRAILER_VALUE;
        return true;
    }
    chunk->stage = CHUNK_TRAILER_NAME;
    return parse_is_token(c);
}

static bool expect(struct chunk *chunk, bool met, enum chunk_stage next)
{
    chunk->stage = next;
    return met;
}

/* Any byte but those of a chunk and the very last one. */
static bool frame_byte(struct chunk *chunk, char c)
{
    switch (chunk->stage) {
    case CHUNK_SIZE:
        return size_byte(chunk, c);
    case CHUNK_EXTENSION:
        return ++chunk->extra <= CHUNK_EXTRA && text_byte(chunk, c, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        chunk->digits = 0;
        return expect(chunk, c == '\n', chunk->left > 0 ? CHUNK_BYTES : CHUNK_TRAILER);
    case CHUNK_BYTES_CR:
        return expect(chunk, c == '\r', CHUNK_BYTES_LF);
    case CHUNK_BYTES_LF:
        return expect(chunk, c == '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
    case CHUNK_TRAILER_NAME:
        return ++chunk->extra <= CHUNK_EXTRA && trailer_byte(chunk, c);
    case CHUNK_TRAILER_VALUE:
        return ++chunk->extra <= CHUNK_EXTRA && text_byte(chunk, c, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LF:
        return expect(chunk, c == '\n', CHUNK_TRAILER);
    case CHUNK_BYTES:
    case CHUNK_LAST_LF:
        break;
    }
    return false;
}

enum chunk_result chunk_next(struct chunk *chunk, const char *in, size_t length, size_t *used,
                             const char **data, size_t *size)
{
    for (size_t i = 0; i < length; i++) {
        if (chunk->stage == CHUNK_BYTES) {
            *data = in + i;
            *size = chunk->left < length - i ? (size_t)chunk->left : length - i;
            chunk->left -= *size;
            if (chunk->left == 0)
                chunk->stage = CHUNK_BYTES_CR;
            *used = i + *size;
            return CHUNK_DATA;
        }
        if (chunk->stage == CHUNK_LAST_LF) {
            *used = i + 1;
            return in[i] == '\n' ? CHUNK_END : CHUNK_BAD;
        }
        if (!frame_byte(chunk, in[i]))
            return CHUNK_BAD;
    }
    *used = length;
    return CHUNK_MORE;
}
