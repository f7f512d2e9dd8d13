/* The Range field (RFC 9110, 14). Pure; any thread. */
#ifndef STATIC_RANGE_H
#define STATIC_RANGE_H
#include <stddef.h>
#include <stdint.h>

#define RANGE_MAX 16 /* more in one request are no honest wish: see RFC 9110, 17.15 */

/* In the order asked for; no two overlap or touch, none is empty, all lie within the file. */
struct ranges {
    size_t count;
    struct range {
        uint64_t first, length;
    } list[RANGE_MAX];
};

enum range_result {
    RANGE_IGNORED,       /* answer with the whole: no field, another unit, malformed, too many */
    RANGE_SOME,          /* at least one */
    RANGE_UNSATISFIABLE, /* 416 */
};

/* `field` may be NULL. The ranges are set for RANGE_SOME only. */
enum range_result range_parse(const char *field, uint64_t size, struct ranges *ranges);
/* Bytes of all of them. */
uint64_t range_sum(const struct ranges *ranges);
#endif
