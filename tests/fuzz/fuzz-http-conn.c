/* Fuzzes a whole connection of the http module, over the stand-in for the engine: the same answers
 * however the bytes are split, an end that is neither a failure nor a wait for nobody, and an access
 * log that no client can forge a line in. Run by fuzz.sh and replay.c.
 */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../unit/fake-reeve.h"
#include "../unit/http-site.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_split(const char *data, size_t size, size_t first, size_t step,
                        const struct http_talk *whole)
{
    struct http_talk talk;
    http_site_talk(data, size, first, step, &talk);
    assert(talk.verdict == whole->verdict && talk.length == whole->length);
    assert(memcmp(talk.output, whole->output, whole->length) == 0);
    http_site_forget(&talk);
}

/* Three texts in quotes, which none of them holds. */
static void check_combined(const char *line, size_t length)
{
    unsigned quotes = 0;
    for (size_t i = 0; i < length; i++)
        quotes += line[i] == '"';
    assert(quotes == 6 && line[length - 1] == '"');
}

/* An object of strings and plain values. */
static void check_json(const char *line, size_t length)
{
    bool inside = false;
    assert(line[0] == '{' && line[length - 1] == '}');
    for (size_t i = 1; i + 1 < length; i++) {
        if (line[i] == '"')
            inside = !inside;
        else if (inside && line[i] == '\\')
            assert(strchr("\"\\u", line[++i]) != NULL);
        else
            assert(inside || strchr("0123456789.-:,abcdefghijklmnopqrstuvwxyz", line[i]) != NULL);
    }
    assert(!inside);
}

static void check_log(bool answered, void (*check)(const char *line, size_t length))
{
    assert(!answered || fake_access[0] != '\0'); /* one that was cut short leaves a line too */
    for (const char *line = fake_access; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        for (size_t i = 0; i < length; i++)
            assert(line[i] >= ' ' && line[i] < 0x7f);
        check(line, length);
        line += length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool open;
    if (!open)
        http_site_open();
    open = true;
    const char *data = (const char *)bytes;
    struct http_talk whole;
    http_site_log_as(ACCESS_JSON);
    http_site_talk(data, size, size, size, &whole);
    check_log(whole.length > 0, check_json);
    assert(whole.verdict == REEVE_WANT_READ || whole.verdict == REEVE_CLOSE);
    assert(whole.length == 0 || memcmp(whole.output, "HTTP/1.1 ", 9) == 0);
    static const char closing[] = "\r\nConnection: close\r\n";
    assert(whole.verdict == REEVE_WANT_READ ||
           memmem(whole.output, whole.length, closing, sizeof closing - 1) != NULL);
    http_site_log_as(ACCESS_COMBINED);
    check_split(data, size, 1, 1, &whole);
    check_log(whole.length > 0, check_combined);
    check_split(data, size, size / 2, size, &whole);
    check_split(data, size, size > 0 ? bytes[size - 1] % size : 0, 7, &whole);
    http_site_forget(&whole);
    return 0;
}
