/* Fuzzes the Range field. The input's first line is the size of the file, the second one the field.
 * What comes out is as range.h promises, and the same when it is asked for by its own words. Run by
 * fuzz.sh and replay.c.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "../../modules/static/range.h"
#include "text.h"

static void check_list(const struct ranges *ranges, uint64_t size)
{
    uint64_t sum = 0;
    assert(ranges->count > 0 && ranges->count <= RANGE_MAX);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *a = &ranges->list[i];
        assert(a->length > 0 && a->first < size && a->length <= size - a->first);
        for (size_t j = 0; j < i; j++) {
            const struct range *b = &ranges->list[j];
            assert(a->first > b->first + b->length || b->first > a->first + a->length);
        }
        sum += a->length;
    }
    assert(sum <= size && sum == range_sum(ranges));
}

static void check_same(const char *field, uint64_t size, const struct ranges *expected)
{
    struct ranges ranges;
    assert(range_parse(field, size, &ranges) == RANGE_SOME && ranges.count == expected->count);
    assert(memcmp(ranges.list, expected->list, ranges.count * sizeof *ranges.list) == 0);
}

/* As one would ask for just these. */
static void check_own_words(const struct ranges *ranges, uint64_t size)
{
    char text[RANGE_MAX * 48] = "bytes=";
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->list[i];
        sprintf(text + strlen(text), "%s%" PRIu64 "-%" PRIu64, i > 0 ? "," : "", range->first,
                range->first + range->length - 1);
    }
    check_same(text, size, ranges);
}

/* What cannot be satisfied, and what was asked for already, changes nothing. */
static void check_more(const char *field, uint64_t size, enum range_result result,
                       const struct ranges *ranges)
{
    struct ranges again;
    size_t room = strlen(field) + 100;
    char *text = malloc(room);
    snprintf(text, room, "%s, ,%" PRIu64 "-,-0", field, size);
    assert(range_parse(text, size, &again) == result);
    if (result == RANGE_SOME) {
        check_same(text, size, ranges);
        const struct range *last = &ranges->list[ranges->count - 1];
        snprintf(text, room, "%s,%" PRIu64 "-%" PRIu64, field, last->first,
                 last->first + last->length - 1);
        check_same(text, size, ranges);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_texts texts = fuzz_split(bytes, size, 2);
    uint64_t length = strtoull(texts.text[0], NULL, 10);
    const char *field = texts.text[1];
    struct ranges ranges;
    enum range_result result = range_parse(field, length, &ranges);
    if (result == RANGE_SOME) {
        check_list(&ranges, length);
        check_own_words(&ranges, length);
    }
    if (result != RANGE_IGNORED)
        check_more(field, length, result, &ranges);
    fuzz_free(&texts);
    return 0;
}
