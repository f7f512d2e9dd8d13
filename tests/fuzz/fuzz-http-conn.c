/* Fuzzes a whole connection of the http module, over the stand-in for the engine: the same answers
 * however the bytes are split, whether the handler runs in the loop or in the pool, at once or
 * later; and an end that is neither a failure nor a wait for nobody. Run by fuzz.sh and replay.c.
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

static void check_kind(const char *data, size_t size, enum http_site_kind kind,
                       struct http_talk *whole)
{
    static const char closing[] = "\r\nConnection: close\r\n";
    http_site_use(kind);
    fake_pool = FAKE_INLINE;
    http_site_talk(data, size, size, size, whole);
    assert(whole->verdict == REEVE_WANT_READ || whole->verdict == REEVE_CLOSE);
    assert(whole->length == 0 || memcmp(whole->output, "HTTP/1.1 ", 9) == 0);
    assert(whole->verdict == REEVE_WANT_READ ||
           memmem(whole->output, whole->length, closing, sizeof closing - 1) != NULL);
    check_split(data, size, 1, 1, whole);
    check_split(data, size, size / 2, size, whole);
    check_split(data, size, size > 0 ? (unsigned char)data[size - 1] % size : 0, 7, whole);
}

/* The same in the pool: each job at once, and each when more of the input has come. */
static void check_pool(const char *data, size_t size, enum http_site_kind kind,
                       const struct http_talk *whole)
{
    http_site_use(kind);
    fake_pool = FAKE_INLINE;
    check_split(data, size, size, size, whole);
    fake_pool = FAKE_DEFERRED;
    check_split(data, size, size, size, whole);
    check_split(data, size, 1, 1, whole);
    check_split(data, size, size > 0 ? (unsigned char)data[0] % size : 0, 5, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool open;
    if (!open)
        http_site_open();
    open = true;
    const char *data = (const char *)bytes;
    for (int kind = 0; kind < HTTP_SITE_KINDS; kind += 2) {
        struct http_talk whole;
        check_kind(data, size, (enum http_site_kind)kind, &whole);
        check_pool(data, size, (enum http_site_kind)(kind + 1), &whole);
        http_site_forget(&whole);
    }
    return 0;
}
