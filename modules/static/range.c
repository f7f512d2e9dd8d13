/* The Range field; see range.h. Any thread; nothing is kept.
 *
 * Ranges that overlap or touch become one, so that no byte is ever sent twice, whatever was asked.
 */
#include "config.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "range.h"

/* Digits, at least one. What does not fit is as good as the largest number: behind every end. */
static const char *read_number(const char *at, uint64_t *number)
{
    bool fits = true;
    *number = 0;
    if (*at < '0' || *at > '9')
        return NULL;
    for (; *at >= '0' && *at <= '9'; at++)
        fits = fits && !__builtin_mul_overflow(*number, 10, number) &&
               !__builtin_add_overflow(*number, (unsigned)(*at - '0'), number);
    if (!fits)
        *number = UINT64_MAX;
    return at;
}

/* One range-spec. What follows it, or NULL if it is malformed. Its length is 0 if it cannot be
 * satisfied. */
static const char *read_range(const char *at, uint64_t size, struct range *range)
{
    uint64_t first, last = UINT64_MAX;
    range->first = range->length = 0;
    if (*at == '-') { /* the last so many */
        at = read_number(at + 1, &last);
        if (at != NULL) {
            range->length = last < size ? last : size;
            range->first = size - range->length;
        }
        return at;
    }
    at = read_number(at, &first);
    if (at == NULL || *at++ != '-')
        return NULL;
    if (*at >= '0' && *at <= '9')
        at = read_number(at, &last);
    if (last < first)
        return NULL;
    if (first < size) {
        range->first = first;
        range->length = (last < size ? last + 1 : size) - first;
    }
    return at;
}

static bool is_joined(const struct range *a, const struct range *b)
{
    return a->first <= b->first + b->length && b->first <= a->first + a->length;
}

/* Adds it, in the place of the first that it overlaps or touches. False if they are too many. */
static bool add(struct ranges *ranges, struct range range)
{
    size_t place = ranges->count, kept = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        struct range *other = &ranges->list[i];
        if (!is_joined(&range, other)) {
            ranges->list[kept++] = *other;
            continue;
        }
        uint64_t end = range.first + range.length, other_end = other->first + other->length;
        range.first = range.first < other->first ? range.first : other->first;
        range.length = (end > other_end ? end : other_end) - range.first;
        if (place == ranges->count)
            place = kept++; /* filled below */
    }
    if (place == ranges->count)
        place = kept++;
    if (place >= RANGE_MAX)
        return false;
    ranges->list[place] = range;
    ranges->count = kept;
    return true;
}

enum range_result range_parse(const char *field, uint64_t size, struct ranges *ranges)
{
    ranges->count = 0;
    if (field == NULL || strncasecmp(field, "bytes=", 6) != 0)
        return RANGE_IGNORED;
    const char *at = field + 6;
    bool any = false;
    for (at += strspn(at, " \t,"); *at != '\0'; at += strspn(at, " \t,")) {
        struct range range;
        at = read_range(at, size, &range);
        if (at == NULL)
            return RANGE_IGNORED;
        at += strspn(at, " \t");
        if (*at != ',' && *at != '\0')
            return RANGE_IGNORED;
        any = true;
        if (range.length > 0 && !add(ranges, range))
            return RANGE_IGNORED;
    }
    if (!any)
        return RANGE_IGNORED;
    return ranges->count > 0 ? RANGE_SOME : RANGE_UNSATISFIABLE;
}

uint64_t range_sum(const struct ranges *ranges)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ranges->count; i++)
        sum += ranges->list[i].length;
    return sum;
}
