/* The chunked transfer coding, byte by byte except for the bytes of the chunks themselves.
 *
 * Extensions and trailers are checked and dropped; together they may take CHUNK_EXTRA bytes more
 * than the body itself has had so far: a large upload may sign each of its chunks, and yet nobody
 * makes us read much for a small body. So a trailer can say nothing about framing, routing or
 * anything else that RFC 9110, 6.5.1 keeps out of it.
 */
#include "config.h"

#include <stdbool.h>

#include "chunk.h"
#include "hex.h"
#include "parse.h"

#define CHUNK_EXTRA 8192
#define CHUNK_DIGITS 15 /* of a size, leading zeros included: no overflow of 64 bits */

static bool size_byte(struct chunk *chunk, char c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        chunk->left = chunk->left * 16 + (unsigned)digit;
        return ++chunk->digits <= CHUNK_DIGITS;
    }
    chunk->stage = c == ';'                ? CHUNK_EXT_BEGIN
                   : c == ' ' || c == '\t' ? CHUNK_EXT
                                           : CHUNK_SIZE_LF;
    return chunk->digits > 0 && (c == '\r' || chunk->stage != CHUNK_SIZE_LF);
}

enum ext_class { OTHER, TOKEN, BLANK, SEMICOLON, EQUALS, QUOTE, BACKSLASH, CR, EXT_CLASSES };

static enum ext_class ext_class(char c)
{
    switch (c) {
    case ' ':
    case '\t':
        return BLANK;
    case ';':
        return SEMICOLON;
    case '=':
        return EQUALS;
    case '"':
        return QUOTE;
    case '\\':
        return BACKSLASH;
    case '\r':
        return CR;
    default:
        return parse_is_token(c) ? TOKEN : OTHER;
    }
}

/* chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112, 7.1.1:
 * what comes after what. Nothing goes to CHUNK_SIZE, so 0 is: refused. */
static const unsigned char ext_next[][EXT_CLASSES] = {
    [CHUNK_EXT] = {[BLANK] = CHUNK_EXT, [SEMICOLON] = CHUNK_EXT_BEGIN},
    [CHUNK_EXT_BEGIN] = {[BLANK] = CHUNK_EXT_BEGIN, [TOKEN] = CHUNK_EXT_NAME},
    [CHUNK_EXT_NAME] = {[TOKEN] = CHUNK_EXT_NAME, [BLANK] = CHUNK_EXT_NAMED,
                        [EQUALS] = CHUNK_EXT_EQUALS, [SEMICOLON] = CHUNK_EXT_BEGIN,
                        [CR] = CHUNK_SIZE_LF},
    [CHUNK_EXT_NAMED] = {[BLANK] = CHUNK_EXT_NAMED, [EQUALS] = CHUNK_EXT_EQUALS,
                         [SEMICOLON] = CHUNK_EXT_BEGIN},
    [CHUNK_EXT_EQUALS] = {[BLANK] = CHUNK_EXT_EQUALS, [TOKEN] = CHUNK_EXT_TOKEN,
                          [QUOTE] = CHUNK_EXT_QUOTED},
    [CHUNK_EXT_TOKEN] = {[TOKEN] = CHUNK_EXT_TOKEN, [BLANK] = CHUNK_EXT,
                         [SEMICOLON] = CHUNK_EXT_BEGIN, [CR] = CHUNK_SIZE_LF},
    [CHUNK_EXT_QUOTED] = {[OTHER] = CHUNK_EXT_QUOTED, [TOKEN] = CHUNK_EXT_QUOTED,
                          [BLANK] = CHUNK_EXT_QUOTED, [SEMICOLON] = CHUNK_EXT_QUOTED,
                          [EQUALS] = CHUNK_EXT_QUOTED, [QUOTE] = CHUNK_EXT_END,
                          [BACKSLASH] = CHUNK_EXT_ESCAPED},
    [CHUNK_EXT_ESCAPED] = {[OTHER] = CHUNK_EXT_QUOTED, [TOKEN] = CHUNK_EXT_QUOTED,
                           [BLANK] = CHUNK_EXT_QUOTED, [SEMICOLON] = CHUNK_EXT_QUOTED,
                           [EQUALS] = CHUNK_EXT_QUOTED, [QUOTE] = CHUNK_EXT_QUOTED,
                           [BACKSLASH] = CHUNK_EXT_QUOTED},
    [CHUNK_EXT_END] = {[BLANK] = CHUNK_EXT, [SEMICOLON] = CHUNK_EXT_BEGIN, [CR] = CHUNK_SIZE_LF},
};

static bool ext_byte(struct chunk *chunk, char c)
{
    chunk->stage = (enum chunk_stage)ext_next[chunk->stage][ext_class(c)];
    return chunk->stage != CHUNK_SIZE && (c == '\r' || parse_is_value(c));
}

static bool trailer_byte(struct chunk *chunk, char c)
{
    if (chunk->stage == CHUNK_TRAILER_VALUE) {
        if (c == '\r')
            chunk->stage = CHUNK_TRAILER_LF;
        return c == '\r' || parse_is_value(c);
    }
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
    case CHUNK_EXT:
    case CHUNK_EXT_BEGIN:
    case CHUNK_EXT_NAME:
    case CHUNK_EXT_NAMED:
    case CHUNK_EXT_EQUALS:
    case CHUNK_EXT_TOKEN:
    case CHUNK_EXT_QUOTED:
    case CHUNK_EXT_ESCAPED:
    case CHUNK_EXT_END:
        return ++chunk->extra <= CHUNK_EXTRA && ext_byte(chunk, c);
    case CHUNK_SIZE_LF:
        chunk->digits = 0;
        return expect(chunk, c == '\n', chunk->left > 0 ? CHUNK_BYTES : CHUNK_TRAILER);
    case CHUNK_BYTES_CR:
        return expect(chunk, c == '\r', CHUNK_BYTES_LF);
    case CHUNK_BYTES_LF:
        return expect(chunk, c == '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
    case CHUNK_TRAILER_NAME:
    case CHUNK_TRAILER_VALUE:
        return ++chunk->extra <= CHUNK_EXTRA && trailer_byte(chunk, c);
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
            chunk->extra -= *size < chunk->extra ? (unsigned)*size : chunk->extra;
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
