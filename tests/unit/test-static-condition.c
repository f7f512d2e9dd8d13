/* static: preconditions, RFC 9110, 13. */
#include "config.h"

#include "../../modules/static/condition.h"
#include "unit.h"

#define BEFORE "Fri, 20 Nov 2026 23:01:01 GMT"
#define THEN "Fri, 20 Nov 2026 23:01:02 GMT"
#define AFTER "Fri, 20 Nov 2026 23:01:03 GMT"
#define OURS "\"6-a\""

static const struct condition_state state = {
    .tag = OURS, .modified = 1795215662, .now = 1795219999};

#define YES CONDITION_TRUE
#define NOT_MODIFIED CONDITION_UNMODIFIED
#define NO CONDITION_FALSE

static const struct {
    const char *value;
    enum condition_result match, none_match;
} tags[] = {
    {"*", YES, NOT_MODIFIED},
    {OURS, YES, NOT_MODIFIED},
    {"W/" OURS, NO, NOT_MODIFIED}, /* 8.8.3.2: strong for If-Match, weak for If-None-Match */
    {"w/" OURS, NO, YES},          /* 8.8.3: case counts */
    {"\"6-b\"", NO, YES},
    {"\"6-A\"", NO, YES},
    {"\"\"", NO, YES},
    {"\"x\", " OURS, YES, NOT_MODIFIED},
    {"\"x\"," OURS ",\"y\"", YES, NOT_MODIFIED},
    {"\"x\" ,\t" OURS " , ", YES, NOT_MODIFIED},
    {", ,\"x\",, " OURS, YES, NOT_MODIFIED}, /* 5.6.1.2: empty elements are nothing */
    {"\"x,y\", W/\"z\", " OURS, YES, NOT_MODIFIED},
    {"\"x, " OURS, NO, YES},
    {"", NO, YES},
    {"6-a", NO, YES},
    {"\"6-a", NO, YES},
    {"6-a, " OURS, NO, YES},
    {"*, " OURS, NO, YES},
    {"\"x\"" OURS, NO, YES},
    {"\"x\" " OURS, NO, YES},
    {"\"x y\", " OURS, NO, YES}, /* a blank is no character of a tag */
    {"W/, " OURS, NO, YES},
};

START_TEST(rfc9110_13_1_1_if_match)
{
    const struct condition_fields fields = {.match = tags[_i].value};
    ck_assert_msg(condition_check(&fields, &state) == tags[_i].match, "%s", tags[_i].value);
}
END_TEST

START_TEST(rfc9110_13_1_2_if_none_match)
{
    const struct condition_fields fields = {.none_match = tags[_i].value};
    ck_assert_msg(condition_check(&fields, &state) == tags[_i].none_match, "%s", tags[_i].value);
}
END_TEST

static const struct {
    const char *value;
    enum condition_result modified_since, unmodified_since;
} dates[] = {
    {BEFORE, YES, NO},
    {THEN, NOT_MODIFIED, YES},
    {AFTER, NOT_MODIFIED, YES},
    {"Fri Nov 20 23:01:01 2026", YES, NO},
    {"Friday, 20-Nov-26 23:01:02 GMT", NOT_MODIFIED, YES},
    {"yesterday", YES, YES}, /* no date: as if it had not come */
    {"", YES, YES},
    {THEN ", " THEN, YES, YES},
};

START_TEST(rfc9110_13_1_3_if_modified_since)
{
    const struct condition_fields fields = {.modified_since = dates[_i].value};
    ck_assert_int_eq(condition_check(&fields, &state), dates[_i].modified_since);
}
END_TEST

START_TEST(rfc9110_13_1_4_if_unmodified_since)
{
    const struct condition_fields fields = {.unmodified_since = dates[_i].value};
    ck_assert_int_eq(condition_check(&fields, &state), dates[_i].unmodified_since);
}
END_TEST

static const struct {
    const char *value;
    bool heeded;
} if_ranges[] = {
    {NULL, true},         {OURS, true},     {"W/" OURS, false},        {"\"6-b\"", false},
    {"*", false},         {THEN, true},     {BEFORE, false},           {AFTER, false},
    {"", false},          {"6-a", false},   {OURS ", \"x\"", false},   {"yesterday", false},
    {"Fri Nov 20 23:01:02 2026", true},
    {OURS ", " OURS, false}, {THEN ", " THEN, false}, /* as of two lines */
};

START_TEST(rfc9110_13_1_5_if_range)
{
    ck_assert_msg(condition_range(if_ranges[_i].value, &state) == if_ranges[_i].heeded, "%s",
                  if_ranges[_i].value);
}
END_TEST

static const struct {
    struct condition_fields fields;
    enum condition_result result;
} orders[] = {
    {{0}, YES},
    /* If-Match decides, whatever If-Unmodified-Since says. */
    {{.match = OURS, .unmodified_since = BEFORE}, YES},
    {{.match = "\"x\"", .unmodified_since = AFTER}, NO},
    /* If-None-Match decides, whatever If-Modified-Since says. */
    {{.none_match = OURS, .modified_since = BEFORE}, NOT_MODIFIED},
    {{.none_match = "\"x\"", .modified_since = AFTER}, YES},
    {{.none_match = "", .modified_since = AFTER}, YES},
    /* 412 goes before 304; a condition that holds leaves the other its say. */
    {{.match = "\"x\"", .none_match = OURS}, NO},
    {{.match = OURS, .none_match = OURS}, NOT_MODIFIED},
    {{.match = OURS, .modified_since = THEN}, NOT_MODIFIED},
    {{.unmodified_since = BEFORE, .none_match = OURS}, NO},
    {{.unmodified_since = THEN, .none_match = OURS}, NOT_MODIFIED},
    {{.unmodified_since = THEN, .modified_since = THEN}, NOT_MODIFIED},
    {{.unmodified_since = "x", .modified_since = "x"}, YES},
};

START_TEST(rfc9110_13_2_2_order)
{
    ck_assert_int_eq(condition_check(&orders[_i].fields, &state), orders[_i].result);
}
END_TEST

UNIT_MAIN("static-condition", EACH(rfc9110_13_1_1_if_match, tags),
          EACH(rfc9110_13_1_2_if_none_match, tags), EACH(rfc9110_13_1_3_if_modified_since, dates),
          EACH(rfc9110_13_1_4_if_unmodified_since, dates),
          EACH(rfc9110_13_1_5_if_range, if_ranges), EACH(rfc9110_13_2_2_order, orders))
