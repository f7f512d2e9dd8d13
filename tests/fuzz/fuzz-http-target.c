/* Fuzzes request targets, paths and hosts: a decoded path cannot leave the root, and what is taken
 * for a host name is one. Run by fuzz.sh and replay.c.
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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

static void check_host(const char *text, size_t length)
{
    size_t name;
    if (!host_name(text, length, &name))
        return;
    assert(name <= length && (name > 0) == (length > 0));
    for (size_t i = 0; i < length; i++) {
        assert((unsigned char)text[i] > ' ' && (unsigned char)text[i] < 0x7f);
        assert(strchr("/?#@%\\,;\"<>", text[i]) == NULL);
        assert(text[0] == '[' || text[i] != ':' || i >= name);
    }
}

static void check_target(const char *text, size_t length)
{
    struct target target;
    enum target_form form = target_split(text, length, &target);
    if (form != TARGET_ORIGIN && form != TARGET_ABSOLUTE)
        return;
    assert(target.query >= text && target.query + target.query_length == text + length);
    assert(target.path_length > 0 && (target.path[0] == '/' || target.path[0] == '?'));
    assert(!target.bare || (form == TARGET_ABSOLUTE && target.query_length == 0));
    check_path(target.path, target.path_length);
    if (form == TARGET_ABSOLUTE)
        check_host(target.host, target.host_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *data = malloc(size + (size == 0)); /* a copy that ends where it ends */
    if (size > 0)
        memcpy(data, bytes, size);
    check_target(data, size);
    check_path(data, size);
    check_host(data, size);
    free(data);
    return 0;
}
