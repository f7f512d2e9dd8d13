/* Fuzzes what of the http module meets foreign bytes first: head, target, path and chunked body.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I_build tests/fuzz/fuzz-http-parse.c \
 *         modules/http/parse.c modules/http/path.c modules/http/chunk.c -o fuzz-http-parse
 *     ./fuzz-http-parse -max_total_time=60 -max_len=2048
 *
 * Beyond what sanitizers see it asserts that splitting the input changes nothing, that all slices
 * lie in the head, and that a decoded path cannot leave the root.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/chunk.h"
#include "../../modules/http/parse.h"
#include "../../modules/http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct parse_limits limits = {.line = 512, .header = 1024, .count = 20};

static void check_path(const char *text, size_t length)
{
    char *out = malloc(length + 2);
    size_t end = 0;
    if (path_decode(text, length, out, &end)) {
        assert(out[0] == '/' && strlen(out) == end && end <= length + 1);
        assert(strstr(out, "//") == NULL && strstr(out, "/./") == NULL);
        assert(strstr(out, "/../") == NULL);
        assert(end < 3 || strcmp(out + end - 3, "/..") != 0);
        assert(end < 2 || strcmp(out + end - 2, "/.") != 0);
    }
    free(out);
}

static void check_target(const char *text, size_t length)
{
    struct target target;
    size_t name;
    enum target_form form = target_split(text, length, &target);
    if (form != TARGET_ORIGIN && form != TARGET_ABSOLUTE)
        return;
    assert(target.query >= text && target.query + target.query_length == text + length);
    check_path(target.path, target.path_length);
    if (form == TARGET_ABSOLUTE && host_name(target.host, target.host_length, &name))
        assert(name <= target.host_length);
}

static void check_slice(struct slice slice, size_t used)
{
    assert(slice.at <= used && slice.length <= used - slice.at);
}

static size_t check_head(const char *data, size_t size)
{
    static struct parse whole, split;
    size_t used = 0, split_used = 0;
    parse_start(&whole);
    enum parse_result result = parse_head(&whole, &limits, data, size, &used), again = PARSE_MORE;
    parse_start(&split);
    for (size_t n = 0; n <= size && again == PARSE_MORE; n++)
        again = parse_head(&split, &limits, data, n, &split_used);
    assert(again == result && split.status == whole.status && split.why == whole.why);
    if (result != PARSE_DONE)
        return size;
    assert(used == split_used && used <= size && whole.count == split.count);
    check_slice(whole.method, used);
    check_slice(whole.target, used);
    for (unsigned i = 0; i < whole.count; i++) {
        check_slice(whole.fields[i].name, used);
        check_slice(whole.fields[i].value, used);
        assert(memcmp(&whole.fields[i], &split.fields[i], sizeof whole.fields[i]) == 0);
    }
    check_target(data + whole.target.at, whole.target.length);
    return used;
}

/* Decodes in pieces of `step` and returns how much body there was; *result says how it ended. */
static size_t decode(const char *data, size_t size, size_t step, enum chunk_result *result)
{
    struct chunk chunk = {0};
    size_t body = 0, at = 0, used = 0, length = 0;
    const char *piece = NULL;
    *result = CHUNK_MORE;
    while (at < size && (*result == CHUNK_MORE || *result == CHUNK_DATA)) {
        size_t n = size - at < step ? size - at : step;
        *result = chunk_next(&chunk, data + at, n, &used, &piece, &length);
        if (*result == CHUNK_BAD)
            break;
        assert(used > 0 && used <= n);
        if (*result == CHUNK_DATA)
            body += length;
        at += used;
    }
    return body;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *data = malloc(size + (size == 0)); /* a copy that ends where it ends */
    memcpy(data, bytes, size);
    size_t used = check_head(data, size);
    check_target(data, size);
    check_path(data, size);
    const char *body = used < size ? data + used : data;
    size_t length = used < size ? size - used : size;
    enum chunk_result whole, split;
    assert(decode(body, length, length + 1, &whole) == decode(body, length, 1, &split));
    assert((whole == CHUNK_BAD) == (split == CHUNK_BAD));
    assert((whole == CHUNK_END) == (split == CHUNK_END));
    free(data);
    return 0;
}
