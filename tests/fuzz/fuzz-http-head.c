/* Fuzzes the head of a request: the same result however it is split, all slices in it, and nothing
 * taken that another reader could see as another message. Run by fuzz.sh and replay.c.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/parse.h"
#include "../../modules/http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct parse_limits limits = {.line = 512, .header = 1024, .count = 20};

static void check_slice(struct slice slice, size_t used)
{
    assert(slice.at <= used && slice.length <= used - slice.at);
}

static void check_same(const struct parse *a, const struct parse *b)
{
    assert(a->status == b->status && a->why == b->why && a->count == b->count);
    assert(a->method.at == b->method.at && a->method.length == b->method.length);
    assert(memcmp(a->fields, b->fields, a->count * sizeof *a->fields) == 0);
}

/* What a good head is, said once more and otherwise than parse.c says it. */
static void check_good(const struct parse *parse, const char *data, size_t used)
{
    for (size_t i = 0; i < used; i++) {
        assert(data[i] != '\0');
        assert(data[i] != '\r' || (i + 1 < used && data[i + 1] == '\n'));
        assert(data[i] != '\n' || (i > 0 && data[i - 1] == '\r'));
        assert(data[i] != '\n' || i + 1 == used || (data[i + 1] != ' ' && data[i + 1] != '\t'));
    }
    assert(used > 4 && memcmp(data + used - 4, "\r\n\r\n", 4) == 0);
    assert(memmem(data, used - 1, "\r\n\r\n", 4) == NULL);
    assert(!(parse->has_length && parse->has_coding));
    assert(parse->has_coding == parse->chunked && !parse->foreign_coding);
    assert(!parse->has_coding || parse->minor > 0);
    assert(parse->has_host || parse->minor == 0);
    assert(parse->host_name <= parse->host.length && parse->count <= limits.count);
    check_slice(parse->method, used);
    check_slice(parse->target, used);
    check_slice(parse->host, used);
    for (unsigned i = 0; i < parse->count; i++) {
        check_slice(parse->fields[i].name, used);
        check_slice(parse->fields[i].value, used);
        assert(data[parse->fields[i].name.at + parse->fields[i].name.length] == ':');
    }
}

/* What is taken for a plain path is what its decoding would give, and has no query. */
static void check_plain(const struct parse *parse, const char *data)
{
    char out[600]; /* more than limits.line */
    const char *target = data + parse->target.at;
    size_t length = 0;
    if (!parse->plain)
        return;
    assert(memchr(target, '?', parse->target.length) == NULL);
    assert(path_decode(target, parse->target.length, out, &length));
    assert(length == parse->target.length && memcmp(target, out, length) == 0);
}

/* A copy that ends where it ends, so that sanitizers see a byte too many. */
static enum parse_result parse_copy(struct parse *parse, const char *data, size_t size,
                                    size_t *used)
{
    char *copy = malloc(size + (size == 0));
    memcpy(copy, data, size);
    enum parse_result result = parse_head(parse, &limits, copy, size);
    free(copy);
    if (result == PARSE_DONE)
        *used = parse->line;
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct parse whole, split;
    static struct parse_field whole_fields[PARSE_FIELDS_MAX], split_fields[PARSE_FIELDS_MAX];
    const char *data = (const char *)bytes;
    size_t used = 0, split_used = 0;
    if (size == 0)
        return 0;
    parse_start(&whole, whole_fields, PARSE_FIELDS_MAX);
    enum parse_result result = parse_copy(&whole, data, size, &used), again = PARSE_MORE;
    parse_start(&split, split_fields, PARSE_FIELDS_MAX);
    for (size_t n = 0; n <= size && again == PARSE_MORE; n++)
        again = parse_copy(&split, data, n, &split_used);
    assert(again == result && used == split_used);
    check_same(&whole, &split);
    for (int i = 0; i < 2; i++) { /* with the Host line of another head, and of this one */
        static struct parse_seen seen;
        parse_start(&split, split_fields, PARSE_FIELDS_MAX);
        split.seen = &seen;
        split_used = 0;
        again = parse_copy(&split, data, size, &split_used);
        assert(again == result && used == split_used);
        check_same(&whole, &split);
    }
    if (result == PARSE_DONE)
        check_good(&whole, data, used), check_plain(&whole, data);
    assert((result == PARSE_BAD) == (whole.status >= 400 && whole.why != NULL));
    return 0;
}
