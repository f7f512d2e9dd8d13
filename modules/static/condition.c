/* Preconditions; see condition.h. Any thread; nothing is kept.
 *
 * A date that cannot be read is as if the field had not come (13.1.3, 13.1.4). A list of tags that
 * cannot be read ends where it cannot: what follows matches nothing, so that the answer is the
 * careful one, 412 for If-Match and the whole for If-None-Match.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "condition.h"
#include "date.h"

/* RFC 9110, 8.8.3: what may stand between the quotes. */
static bool is_tag_char(char c)
{
    return c != '"' && (unsigned char)c > 0x20 && c != 0x7f;
}

static bool is_weak(const char *tag)
{
    return tag[0] == 'W' && tag[1] == '/';
}

/* Reads one entity tag. *tag begins at its first quote; what follows it, or NULL if it is none. */
static const char *read_tag(const char *at, const char **tag, size_t *length, bool *weak)
{
    *weak = is_weak(at);
    if (*weak)
        at += 2;
    *tag = at;
    if (*at++ != '"')
        return NULL;
    while (is_tag_char(*at))
        at++;
    if (*at++ != '"')
        return NULL;
    *length = (size_t)(at - *tag);
    return at;
}

/* Whether one of the tags is ours, or the list is "*". By strong comparison two are not equal if
 * one of them is weak (8.8.3.2). */
static bool is_listed(const char *list, const char *ours, bool weak_too)
{
    if (strcmp(list, "*") == 0)
        return true;
    if (is_weak(ours) && !weak_too)
        return false;
    ours += is_weak(ours) ? 2 : 0;
    size_t our_length = strlen(ours);
    for (const char *at = list + strspn(list, " \t,"); *at != '\0'; at += strspn(at, " \t,")) {
        const char *tag;
        size_t length;
        bool weak;
        at = read_tag(at, &tag, &length, &weak);
        if (at == NULL || at[strspn(at, " \t")] == '"')
            return false;
        if (length == our_length && memcmp(tag, ours, length) == 0 && (!weak || weak_too))
            return true;
    }
    return false;
}

enum condition_result condition_check(const struct condition_fields *fields,
                                      const struct condition_state *state)
{
    int64_t date;
    if (fields->match != NULL) {
        if (!is_listed(fields->match, state->tag, false))
            return CONDITION_FALSE;
    } else if (fields->unmodified_since != NULL &&
               date_parse(fields->unmodified_since, state->now, &date) &&
               state->modified > date) {
        return CONDITION_FALSE;
    }
    if (fields->none_match != NULL)
        return is_listed(fields->none_match, state->tag, true) ? CONDITION_UNMODIFIED
                                                               : CONDITION_TRUE;
    if (fields->modified_since != NULL && date_parse(fields->modified_since, state->now, &date) &&
        state->modified <= date)
        return CONDITION_UNMODIFIED;
    return CONDITION_TRUE;
}

bool condition_range(const char *if_range, const struct condition_state *state)
{
    int64_t date;
    if (if_range == NULL)
        return true;
    if (date_parse(if_range, state->now, &date))
        return date == state->modified;
    return !is_weak(state->tag) && strcmp(if_range, state->tag) == 0;
}
