/* The chunked transfer coding of a request body, decoded as it comes. Pure, like parse.h. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H
#include <stddef.h>
#include <stdint.h>

enum chunk_stage {
    CHUNK_SIZE,        /* at the start: all zero is a fresh decoder */
    CHUNK_EXT,         /* white space behind the size or an extension: a semicolon must come */
    CHUNK_EXT_BEGIN,   /* behind the semicolon */
    CHUNK_EXT_NAME,
    CHUNK_EXT_NAMED,   /* white space behind the name */
    CHUNK_EXT_EQUALS,  /* behind "=" */
    CHUNK_EXT_TOKEN,
    CHUNK_EXT_QUOTED,
    CHUNK_EXT_ESCAPED, /* behind a backslash */
    CHUNK_EXT_END,     /* behind the closing quote */
    CHUNK_SIZE_LF,
    CHUNK_BYTES,
    CHUNK_BYTES_CR,
    CHUNK_BYTES_LF,
    CHUNK_TRAILER,     /* a trailer field or the last line begins here */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
};
enum chunk_result { CHUNK_MORE, CHUNK_DATA, CHUNK_END, CHUNK_BAD };

struct chunk {
    enum chunk_stage stage;
    unsigned digits; /* of the size in hand */
    unsigned extra;  /* bytes of extensions and trailers, less those of chunks: they have a limit */
    uint64_t left;   /* bytes of the chunk still to come */
};

/* Looks at `length` bytes and takes *used of them. DATA: *data, *size is a piece of the body within
 * them; call again. MORE: all were taken. END: the body is complete. */
enum chunk_result chunk_next(struct chunk *chunk, const char *in, size_t length, size_t *used,
                             const char **data, size_t *size);
#endif
