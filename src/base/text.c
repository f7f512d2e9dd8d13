/* Small text helpers; see text.h. Pure functions, any thread. */
#include "config.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: the writer takes the first that divides. */
static const struct unit sizes[] = {
    {"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10},
    {"T", 1LL << 40},   {"G", 1LL << 30},   {"M", 1LL << 20},   {"K", 1LL << 10},
    {"k", 1LL << 10},   {"m", 1LL << 20},   {"g", 1LL << 30},   {"B", 1},
    {NULL, 0},
};
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

bool text_int(const char *text, int64_t *value)
{
    char *end;
    const char *digits = *text == '-' ? text + 1 : text;

    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* A number and a unit of the table; a bare number counts in `bare`. */
static bool text_quantity(const char *text, const struct unit *units, int64_t bare, int64_t *value)
{
    char *end;
    int64_t number, factor = bare;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    while (*end == ' ')
        end++;
    if (*end) {
        while (units->name && strcmp(units->name, end) != 0)
            units++;
        if (!units->name)
            return false;
        factor = units->factor;
    }
    return !__builtin_mul_overflow(number, factor, value);
}

bool text_size(const char *text, int64_t *bytes)
{
    return text_quantity(text, sizes, 1, bytes);
}

bool text_duration(const char *text, int64_t *ms)
{
    return text_quantity(text, durations, 1000, ms);
}

static void text_put_quantity(struct buf *out, int64_t value, const struct unit *units,
                              const char *smallest)
{
    while (units->name && (value == 0 || value % units->factor != 0))
        units++;
    if (units->name)
        buf_printf(out, "%" PRId64 "%s", value / units->factor, units->name);
    else
        buf_printf(out, "%" PRId64 "%s", value, smallest);
}

void text_put_size(struct buf *out, int64_t bytes)
{
    if (bytes % 1024 != 0)
        buf_printf(out, "%" PRId64, bytes);
    else
        text_put_quantity(out, bytes, sizes, "");
}

void text_put_duration(struct buf *out, int64_t ms)
{
    text_put_quantity(out, ms, durations, "s");
}

/* Levenshtein distance, of words short enough for names. */
static size_t text_distance(const char *a, const char *b)
{
    size_t row[64], width = strlen(b);

    if (width >= sizeof(row) / sizeof(row[0]))
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);

            corner = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[width];
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t limit = strlen(word) / 3 + 1; /* a third wrong is still a slip, more is another word */

    for (size_t i = 0; i < count; i++) {
        size_t distance = text_distance(word, names[i]);

        if (distance <= limit) {
            limit = distance;
            if (!best || distance < text_distance(word, best))
                best = names[i];
        }
    }
    return best;
}

/* Length of the valid UTF-8 sequence at `s`, 0 if it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80                   ? 1
                    : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                    : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                    : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                  : 0;

    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

void text_put_json(struct buf *out, const char *data, size_t length)
{
    const unsigned char *s = (const unsigned char *)data;

    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(s + i, length - i);

        if (n == 0) {
            buf_adds(out, "\\ufffd");
            n = 1;
        } else if (s[i] == '"' || s[i] == '\\') {
            buf_printf(out, "\\%c", s[i]);
        } else if (s[i] < 0x20 || s[i] == 0x7f) {
            buf_printf(out, "\\u%04x", s[i]);
        } else {
            buf_add(out, s + i, n);
        }
        i += n;
    }
}

void text_put_safe(struct buf *out, const char *data, size_t length)
{
    const unsigned char *s = (const unsigned char *)data;

    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(s + i, length - i);
        /* U+0080..U+009F are control characters to terminals */
        bool control = n == 0 || s[i] < 0x20 || s[i] == 0x7f ||
                       (n == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0);

        if (control) {
            buf_printf(out, "\\x%02x", s[i]);
            n = 1;
        } else {
            buf_add(out, s + i, n);
        }
        i += n;
    }
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);

    while (*choices) {
        size_t n = strcspn(choices, "|");

        if (n == length && memcmp(choices, word, n) == 0)
            return true;
        choices += n + (choices[n] == '|');
    }
    return false;
}
