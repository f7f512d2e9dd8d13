/* Values of a query or a form; see form.h. Any thread. */
#include "config.h"

#include "form.h"

#include <string.h>

#include "hex.h"

/* The next byte of text[*at..length), decoded; *at moves behind it. */
static char next_byte(const char *text, size_t length, size_t *at)
{
    char c = text[(*at)++];
    if (c == '+')
        return ' ';
    if (c != '%' || length - *at < 2)
        return c;
    int high = hex_value(text[*at]), low = hex_value(text[*at + 1]);
    if (high < 0 || low < 0)
        return c;
    *at += 2;
    return (char)(high * 16 + low);
}

static bool is_name(const char *text, size_t length, const char *name)
{
    size_t at = 0;
    while (at < length && *name != '\0' && next_byte(text, length, &at) == *name)
        name++;
    return at == length && *name == '\0';
}

const char *form_find(const char *text, size_t length, const char *name, size_t *value_length)
{
    const char *end = text + length;
    while (text < end) {
        const char *stop = memchr(text, '&', (size_t)(end - text));
        if (stop == NULL)
            stop = end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        const char *value = equals != NULL ? equals + 1 : stop;
        if (is_name(text, (size_t)((equals != NULL ? equals : stop) - text), name)) {
            *value_length = (size_t)(stop - value);
            return value;
        }
        text = stop < end ? stop + 1 : end;
    }
    return NULL;
}

void form_decode(const char *text, size_t length, char *out)
{
    for (size_t at = 0; at < length;)
        *out++ = next_byte(text, length, &at);
    *out = '\0';
}
