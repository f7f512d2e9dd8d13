/* Fuzzes a whole connection of the http module, over the stand-in for the engine: the same answers
 * however the bytes are split, and an end that is neither a failure nor a wait for nobody. Run by
 * fuzz.sh and replay.c.
 */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool open;
    if (!open)
        http_site_open();
    open = true;
    const char *data = (const char *)bytes;
    struct http_talk whole;
    http_site_talk(data, size, size, size, &whole);
    assert(whole.verdict == REEVE_WANT_READ || whole.verdict == REEVE_CLOSE);
    assert(whole.length == 0 || memcmp(whole.output, "HTTP/1.1 ", 9) == 0);
    static const char closing[] = "\r\nConnection: close\r\n";
    assert(whole.verdict == REEVE_WANT_READ ||
           memmem(whole.output, whole.length, closing, sizeof closing - 1) != NULL);
    check_split(data, size, 1, 1, &whole);
    check_split(data, size, size / 2, size, &whole);
    check_split(data, size, size > 0 ? bytes[size - 1] % size : 0, 7, &whole);
    http_site_forget(&whole);
    return 0;
}
