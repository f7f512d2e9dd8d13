/* What a fuzzer of texts begins with: the input as texts in memory of their own, which ends where
 * they end, so that sanitizers see a byte too many. One thread. */
#ifndef TESTS_FUZZ_TEXT_H
#define TESTS_FUZZ_TEXT_H
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define FUZZ_TEXTS 8

/* Lines of the input; what follows the last wanted one belongs to it. A NUL ends the input. */
struct fuzz_texts {
    char *text[FUZZ_TEXTS]; /* "" for those that are not there */
};

static inline struct fuzz_texts fuzz_split(const uint8_t *bytes, size_t size, size_t wanted)
{
    struct fuzz_texts texts;
    const char *at = (const char *)bytes;
    size_t left = size > 0 ? strnlen(at, size) : 0;
    assert(wanted <= FUZZ_TEXTS);
    for (size_t i = 0; i < FUZZ_TEXTS; i++) {
        const char *end = left > 0 && i + 1 < wanted ? memchr(at, '\n', left) : NULL;
        size_t length = i >= wanted ? 0 : end != NULL ? (size_t)(end - at) : left;
        texts.text[i] = malloc(length + 1);
        if (length > 0)
            memcpy(texts.text[i], at, length);
        texts.text[i][length] = '\0';
        size_t taken = length + (end != NULL);
        at += taken;
        left -= taken;
    }
    return texts;
}

static inline void fuzz_free(struct fuzz_texts *texts)
{
    for (size_t i = 0; i < FUZZ_TEXTS; i++)
        free(texts->text[i]);
}
#endif
