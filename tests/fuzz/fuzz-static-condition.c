/* Fuzzes preconditions. The input is the value of one field, which is tried as each of them: they
 * must not contradict each other, and nothing is found equal that does not stand there. Run by
 * fuzz.sh and replay.c.
 */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>

#include "../../modules/static/condition.h"
#include "../../modules/static/date.h"
#include "text.h"

static const struct condition_state state = {
    .tag = "\"5-18a\"", .modified = 784111777, .now = 1795000000};

static enum condition_result check(struct condition_fields fields)
{
    return condition_check(&fields, &state);
}

static void check_tags(const char *list, const char *date)
{
    bool strong = check((struct condition_fields){.match = list}) == CONDITION_TRUE;
    bool weak = check((struct condition_fields){.none_match = list}) == CONDITION_UNMODIFIED;
    assert(weak || !strong);
    assert(!weak || strcmp(list, "*") == 0 || strstr(list, state.tag) != NULL);
    assert(strong || !weak || strstr(list, "W/") != NULL);
    assert(!condition_range(list, &state) || strong || date_parse(list, state.now, &(int64_t){0}));
    /* RFC 9110, 13.2.2: with tags, the dates are not looked at. */
    assert(strong == (check((struct condition_fields){
                          .match = list, .unmodified_since = date}) == CONDITION_TRUE));
    assert(weak == (check((struct condition_fields){
                        .none_match = list, .modified_since = date}) == CONDITION_UNMODIFIED));
    assert(strong || check((struct condition_fields){.match = list, .none_match = list}) ==
                         CONDITION_FALSE);
}

/* Our tag, put before a list that may be none. */
static void check_first(const char *list)
{
    size_t room = strlen(state.tag) + strlen(list) + 4;
    char *text = malloc(room);
    snprintf(text, room, "%s,%s", state.tag, list);
    assert(check((struct condition_fields){.match = text}) == CONDITION_TRUE);
    assert(check((struct condition_fields){.none_match = text}) == CONDITION_UNMODIFIED);
    snprintf(text, room, "W/%s,%s", state.tag, list);
    bool strong = strcmp(list, "*") != 0 &&
                  check((struct condition_fields){.match = list}) == CONDITION_TRUE;
    assert(strong == (check((struct condition_fields){.match = text}) == CONDITION_TRUE));
    assert(check((struct condition_fields){.none_match = text}) == CONDITION_UNMODIFIED);
    free(text);
}

static void check_dates(const char *text)
{
    int64_t date;
    bool good = date_parse(text, state.now, &date);
    bool newer = check((struct condition_fields){.unmodified_since = text}) == CONDITION_FALSE;
    bool older = check((struct condition_fields){.modified_since = text}) == CONDITION_UNMODIFIED;
    assert(newer == (good && state.modified > date));
    assert(older == (good && state.modified <= date));
    assert(!good || condition_range(text, &state) == (date == state.modified));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_texts texts = fuzz_split(bytes, size, 1);
    check_tags(texts.text[0], "Sun, 06 Nov 1994 08:49:37 GMT");
    check_tags(texts.text[0], "Sat, 05 Nov 1994 08:49:37 GMT");
    check_first(texts.text[0]);
    check_dates(texts.text[0]);
    fuzz_free(&texts);
    return 0;
}
