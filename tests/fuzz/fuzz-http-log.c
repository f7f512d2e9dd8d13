/* Fuzzes the access log, in both of its forms: whatever a client sends, a line is printable, ends
 * where the server ends it, and its quotes stand where the server puts them. Run by fuzz.sh and
 * replay.c.
 */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../../modules/http/settings.h"
#include "../unit/fake-reeve.h"
#include "../unit/http-site.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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

static void check_log(const char *data, size_t size, enum access_format format,
                      void (*check)(const char *line, size_t length))
{
    struct http_talk talk;
    settings.access.format = settings.sites[0].access.format = format;
    fake_access[0] = '\0';
    http_site_talk(data, size, size, size, &talk);
    assert(talk.length == 0 || fake_access[0] != '\0'); /* who leaves early may leave a line too */
    for (const char *line = fake_access; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        for (size_t i = 0; i < length; i++)
            assert(line[i] >= ' ' && line[i] < 0x7f);
        check(line, length);
        line += length + 1;
    }
    http_site_forget(&talk);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool open;
    const char *error;
    if (!open) {
        http_site_open();
        settings.access.file = settings.sites[0].access.file = reeve_logfile_open("log", &error);
    }
    open = true;
    check_log((const char *)bytes, size, ACCESS_COMBINED, check_combined);
    check_log((const char *)bytes, size, ACCESS_JSON, check_json);
    return 0;
}
