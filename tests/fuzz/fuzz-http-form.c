/* Fuzzes queries and forms. The input's first line is a name, the rest the text it is looked for
 * in: what is found lies there, and what is put there is found as it was. Run by fuzz.sh and
 * replay.c.
 */
#include "config.h"

#include <stdio.h>

#include "../../modules/http/form.h"
#include "text.h"

/* Every byte as %XX. */
static char *encode(char *at, const char *text)
{
    for (; *text != '\0'; text++)
        at += sprintf(at, "%%%02x", (unsigned)(unsigned char)*text);
    return at;
}

/* The value, decoded, in memory of its own; NULL: none. */
static char *find(const char *text, size_t length, const char *name)
{
    char *copy = malloc(length + (length == 0)), *decoded = NULL;
    size_t value_length = 0;
    if (length > 0)
        memcpy(copy, text, length);
    const char *value = form_find(copy, length, name, &value_length);
    if (value != NULL) {
        assert(value >= copy && value <= copy + length);
        assert(value_length <= length - (size_t)(value - copy));
        assert(memchr(value, '&', value_length) == NULL);
        decoded = malloc(value_length + 1);
        form_decode(value, value_length, decoded);
        assert(strlen(decoded) <= value_length);
    }
    free(copy);
    return decoded;
}

static void check_find(const char *text, const char *end, const char *name, const char *wanted)
{
    char *got = find(text, (size_t)(end - text), name);
    assert((got == NULL) == (wanted == NULL) && (got == NULL || strcmp(got, wanted) == 0));
    free(got);
}

/* With "name=value" before it, and behind it, all of it encoded; and with a name that only begins
 * so, or that it begins with. */
static void check_put(const char *text, const char *name, const char *found)
{
    static const char value[] = "\x01 +&=%\xff" "41%zz";
    size_t room = strlen(text) + 3 * (strlen(name) + sizeof value) + 5;
    char *longer = malloc(room), *end = encode(longer, name);
    *end++ = '=';
    end = stpcpy(stpcpy(encode(end, value), "&"), text);
    check_find(longer, end, name, value);
    end = encode(stpcpy(stpcpy(longer, text), "&"), name);
    *end++ = '=';
    end = encode(end, value);
    check_find(longer, end, name, found != NULL ? found : value);
    end = stpcpy(stpcpy(encode(longer, name), "x=1&"), text);
    check_find(longer, end, name, found);
    end = stpcpy(stpcpy(encode(longer, name) - 3, "=1&"), text);
    check_find(longer, end, name, found);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_texts texts = fuzz_split(bytes, size, 2);
    const char *name = texts.text[0], *text = texts.text[1];
    char *found = find(text, strlen(text), name);
    if (*name != '\0' && (found != NULL || *text != '\0'))
        check_put(text, name, found);
    free(found);
    free(find((const char *)bytes, size, name)); /* a body may hold NUL */
    fuzz_free(&texts);
    return 0;
}
