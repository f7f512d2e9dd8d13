/* The head of an HTTP/1 request: request line and fields, by RFC 9112, strict where two readers
 * could see different messages. Pure: no I/O, no allocation, no clock. */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../word.h"

#define PARSE_FIELDS_MAX 256

struct slice { /* bytes of the head, from its first byte */
    uint32_t at, length;
};
struct parse_field {
    struct slice name, value; /* the value without the white space around it */
};
struct parse_limits {
    size_t line;    /* bytes of the request line, its end included: 414 */
    size_t header;  /* bytes of all fields and the empty line: 431 */
    unsigned count; /* fields, at most PARSE_FIELDS_MAX: 431 */
};

enum parse_stage { PARSE_LINE, PARSE_FIELDS, PARSE_END };
enum parse_result { PARSE_MORE, PARSE_ROOM, PARSE_DONE, PARSE_BAD };

#define PARSE_SEEN 64
/* A Host line that was found good: where it comes again it need not be read again, for the same
 * bytes say the same. All zero: none yet. */
struct parse_seen {
    uint32_t length;       /* of the line, its end included */
    struct slice value;    /* in the line */
    uint32_t name;         /* see `host_name` */
    char line[PARSE_SEEN];
};

struct parse {
    enum parse_stage stage;
    uint32_t line;      /* where the line in hand begins; at the end: what is behind the head */
    uint32_t scanned;   /* up to here there is no end of it */
    uint32_t fields_at; /* where the fields begin */

    struct slice method, target; /* of a bad head too, as far as it got */
    unsigned minor;              /* of HTTP/1.x */
    bool plain;                  /* the target is a path that path_decode() would leave as it is; of
                                    some such paths it is not known */

    struct slice host;       /* with port */
    uint32_t host_name;      /* bytes of it that are the name, see host_name() */
    bool has_host, has_length, has_coding;
    bool chunked;            /* is the last transfer coding so far */
    bool foreign_coding;     /* another one was there too */
    bool close, keep_alive;  /* Connection */
    bool expect;             /* 100-continue */
    bool unmet;              /* another expectation */
    bool conditional;        /* a condition or a range */
    uint64_t content_length; /* UINT64_MAX: more than can be counted */

    int status;      /* PARSE_BAD: what to answer */
    const char *why; /* and one sentence for the page */

    uint64_t names; /* parse_name_bit() of each field that is there */
    unsigned count, room;
    struct parse_field *fields; /* the caller's, with room for so many */
    struct parse_seen *seen;    /* the caller's, kept from head to head; NULL: nothing is */
};

static inline void parse_start(struct parse *parse, struct parse_field *fields, unsigned room)
{
    word_zero(parse, sizeof *parse);
    parse->fields = fields;
    parse->room = room;
}
/* `data` is the input from the head's first byte on, the same bytes as before and perhaps more.
 * Each byte is looked at once, however they come. ROOM: the fields are full; set more, then again.
 * DONE: the head ends where `line` says. */
enum parse_result parse_head(struct parse *parse, const struct parse_limits *limits,
                             const char *data, size_t length);

/* The character classes of RFC 9110, 5.6.2, 5.5 and 5.6.3. */
bool parse_is_token(char c);
bool parse_is_value(char c);
static inline bool parse_is_blank(char c)
{
    return c == ' ' || c == '\t';
}
/* How many bytes of a token `data` begins with. */
size_t parse_token_length(const char *data, size_t length);
/* One bit for a field's name, in any case: where it is not set, no field of that name is there. The
 * factors are such that what browsers send shares no bit with what fields.c looks for. */
static inline uint64_t parse_name_bit(const char *name, size_t length)
{
    unsigned first = (unsigned char)name[0] | 0x20, last = (unsigned char)name[length - 1] | 0x20;
    return (uint64_t)1 << (((length + last) * 9 + first * 5) & 63);
}
/* Says why the head is bad; returns false. */
bool parse_refuse(struct parse *parse, int status, const char *why);
#endif
