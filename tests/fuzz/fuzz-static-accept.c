/* Fuzzes Accept-Encoding, Accept and qvalues: what a client is given of some offers does not depend
 * on what else is offered, nor on case, nor on elements that say nothing. Run by fuzz.sh and
 * replay.c.
 */
#include "config.h"

#include <ctype.h>

#include "../../modules/static/accept.h"
#include "../../modules/static/prefer.h"
#include "text.h"

static const struct accept_coding *all[ACCEPT_CODINGS];

static size_t place_of(const struct accept_coding *coding,
                       const struct accept_coding *const order[], size_t count)
{
    size_t i = 0;
    while (i < count && order[i] != coding)
        i++;
    return i;
}

static void check_same(const char *field, const struct accept_coding *const order[], size_t count)
{
    const struct accept_coding *again[ACCEPT_CODINGS];
    assert(accept_order(field, all, ACCEPT_CODINGS, again) == count);
    assert(memcmp(again, order, count * sizeof *order) == 0);
}

/* Each coding alone, and each two of them, as among all; of equals the first offered. */
static void check_codings(const char *field, const struct accept_coding *const order[],
                          size_t count)
{
    assert(count <= ACCEPT_CODINGS);
    for (size_t i = 0; i < ACCEPT_CODINGS; i++) {
        const struct accept_coding *got[2] = {NULL, NULL};
        size_t place = place_of(all[i], order, count);
        assert(accept_order(field, &all[i], 1, got) == (size_t)(place < count));
        for (size_t j = i + 1; j < ACCEPT_CODINGS; j++) {
            const struct accept_coding *two[2] = {all[i], all[j]};
            size_t other = place_of(all[j], order, count);
            size_t both = accept_order(field, two, 2, got);
            assert(both == (size_t)(place < count) + (size_t)(other < count));
            assert(both == 0 || got[0] == (place < other ? all[i] : all[j]));
            if (both < 2 || got[0] == all[i])
                continue;
            const struct accept_coding *turned[2] = {all[j], all[i]};
            accept_order(field, turned, 2, got); /* the second one was better, not equal */
            assert(got[0] == all[j]);
        }
    }
}

static void check_type(const char *field, const char *shouted, const char *longer)
{
    int weight = prefer_weight(field, "text/html");
    assert(weight >= 0 && weight <= 1000);
    assert(prefer_weight(shouted, "text/html") == weight);
    assert(prefer_weight(field, "TEXT/HTML") == weight);
    assert(prefer_weight(longer, "text/html") == weight);
}

static void check_weight(const char *text)
{
    const char *at = text;
    int weight = accept_weight(&at);
    assert(weight >= -1 && weight <= 1000 && at >= text && at <= text + 5);
    assert(weight < 0 || at > text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[ACCEPT_CODINGS] = {"br", "zstd", "gzip"};
    struct fuzz_texts texts = fuzz_split(bytes, size, 1);
    const char *field = texts.text[0];
    const struct accept_coding *order[ACCEPT_CODINGS];
    char *shouted = strdup(field), *longer = malloc(strlen(field) + 20);
    for (size_t i = 0; i < ACCEPT_CODINGS; i++)
        all[i] = accept_find(names[i]);
    for (char *c = shouted; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    strcpy(stpcpy(longer, field), ", ,none/none;q=1");
    size_t count = accept_order(field, all, ACCEPT_CODINGS, order);
    check_codings(field, order, count);
    check_same(shouted, order, count);
    check_same(longer, order, count);
    check_type(field, shouted, longer);
    check_weight(field);
    free(shouted);
    free(longer);
    fuzz_free(&texts);
    return 0;
}
