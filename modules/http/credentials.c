/* The field Authorization of the scheme Basic; see credentials.h. Pure, any thread.
 *
 * Base64 is read strictly (RFC 4648, 4): no other characters, padding as it must be, no stray bits.
 * So there is one way to write a user and a password, and nothing to be misread.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "credentials.h"

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* False: malformed. */
static bool base64_decode(const char *text, size_t length, char *out, size_t *out_length)
{
    unsigned bits = 0, held = 0;
    size_t n = 0;
    if (length == 0 || length % 4 != 0)
        return false;
    size_t padding = text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
    for (size_t i = 0; i < length - padding; i++) {
        int six = sextet(text[i]);
        if (six < 0)
            return false;
        bits = (bits << 6 | (unsigned)six) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (char)(bits >> held & 0xff);
        }
    }
    *out_length = n;
    return (bits & ((1u << held) - 1)) == 0;
}

bool credentials_decode(const char *value, char *out, size_t *length, const char **password)
{
    if (strncasecmp(value, "Basic ", 6) != 0)
        return false;
    value += 6;
    value += strspn(value, " ");
    if (!base64_decode(value, strlen(value), out, length))
        return false;
    for (size_t i = 0; i < *length; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            return false;
    char *colon = memchr(out, ':', *length);
    if (colon == NULL)
        return false;
    *colon = '\0';
    out[(*length)++] = '\0';
    *password = colon + 1;
    return true;
}
