/* Fuzzes the Authorization field: what is read as user and password has just that one way to be
 * written. Run by fuzz.sh and replay.c.
 */
#include "config.h"

#include <stdio.h>

#include "../../modules/http/credentials.h"
#include "text.h"

static char *encode(const unsigned char *data, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = calloc(1, length * 4 / 3 + 5), *at = text;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t second = i + 1 < length ? data[i + 1] : 0;
        uint32_t third = i + 2 < length ? data[i + 2] : 0;
        uint32_t bits = (uint32_t)data[i] << 16 | second << 8 | third;
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = digits[bits >> 6 & 63];
        *at++ = digits[bits & 63];
    }
    if (length % 3 > 0)
        at[-1] = '=';
    if (length % 3 == 1)
        at[-2] = '=';
    return text;
}

static void check_good(const char *value, char *out, size_t length, const char *password)
{
    size_t user = strlen(out);
    assert(length <= strlen(value) && password == out + user + 1);
    assert(user + 1 + strlen(password) + 1 == length);
    assert(strchr(out, ':') == NULL);
    for (size_t i = 0; i < length; i++)
        assert(i == user || i + 1 == length || ((unsigned char)out[i] >= ' ' && out[i] != 0x7f));
    out[user] = ':';
    char *again = encode((const unsigned char *)out, length - 1);
    assert(strcmp(value + 6 + strspn(value + 6, " "), again) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_texts texts = fuzz_split(bytes, size, 1);
    const char *value = texts.text[0], *password = NULL;
    size_t length = 0;
    char *out = malloc(strlen(value) + (*value == '\0'));
    if (credentials_decode(value, out, &length, &password))
        check_good(value, out, length, password);
    /* The same words as one who wants to be let in would send them. */
    char *made = encode(bytes, size);
    size_t room = strlen(made) + sizeof "basic ";
    char *again = malloc(room), *read = malloc(room - 1);
    snprintf(again, room, "basic %s", made);
    if (credentials_decode(again, read, &length, &password))
        check_good(again, read, length, password);
    free(read);
    free(again);
    free(made);
    free(out);
    fuzz_free(&texts);
    return 0;
}
