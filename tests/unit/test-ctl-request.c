/* Unit tests of src/ctl/request.c and src/ctl/options.c: words in, request line out. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/options.h"
#include "ctl/request.h"
#include "unit.h"

#define WORDS 6

static const struct {
    const char *words[WORDS];
    const char *line;  /* NULL: refused */
    const char *error; /* a part of it */
} cases[] = {
    {{"status"}, "status\n", NULL},
    {{"status", "--watch"}, "status\n", NULL},
    {{"check"}, "check\n", NULL},
    {{"check", "/a b.conf"}, "check /a b.conf\n", NULL},
    {{"check", "--", "/--x"}, "check /--x\n", NULL},
    {{"reload"}, "reload wait=60\n", NULL},
    {{"reload", "--wait", "5"}, "reload wait=5\n", NULL},
    {{"reload", "--wait=1"}, "reload wait=1\n", NULL},
    {{"stop"}, "stop\n", NULL},
    {{"stop", "--now"}, "stop now\n", NULL},
    {{"scale", "4"}, "scale 4\n", NULL},
    {{"recycle"}, "recycle all\n", NULL},
    {{"recycle", "2"}, "recycle 2\n", NULL},
    {{"log-level", "debug"}, "log-level debug\n", NULL},
    {{"slow"}, "slow\n", NULL},
    {{"slow", "clear"}, "slow clear\n", NULL},
    {{"slow", "--follow"}, "slow follow\n", NULL},
    {{"slow", "-f"}, "slow follow\n", NULL},
    {{"slow", "-f", "clear"}, NULL, "say one"},
    {{"slow", "clear", "--follow"}, NULL, "say one"},
    {{"slow", "--follow=1"}, NULL, "takes no value"},
    {{"slow", "a", "b"}, NULL, "one word too many"},
    {{"events", "-f"}, NULL, "does not take '-f'"},
    {{"stats"}, NULL, "did you mean 'status'"},
    {{"xyzzyx"}, NULL, "reevectl -h"},
    {{"scale"}, NULL, "needs N"},
    {{"scale", "4", "5"}, NULL, "'5' is one word too many"},
    {{"modules", "x"}, NULL, "one word too many"},
    {{"stop", "--watch"}, NULL, "does not take '--watch'"},
    {{"stop", "--no"}, NULL, "does not take '--no'"},
    {{"stop", "--now=1"}, NULL, "takes no value"},
    {{"reload", "--wait"}, NULL, "needs a value"},
    {{"reload", "--wait", "0"}, "reload wait=0\n", NULL},
    {{"reload", "--wait", "5s"}, NULL, "not a number of seconds"},
    {{"reload", "--wait", "86401"}, NULL, "not a number of seconds"},
    {{"log-level", "a\nstop now"}, NULL, "line break"},
};

static size_t count_words(const char *const *words)
{
    size_t n = 0;

    while (n < WORDS && words[n])
        n++;
    return n;
}

START_TEST(test_line)
{
    struct request request;
    struct buf error = {0};
    const char *const *words = cases[_i].words;
    bool ok = request_build(&request, (char *const *)words, count_words(words), &error);

    if (cases[_i].line) {
        ck_assert_msg(ok, "%s", buf_text(&error));
        ck_assert_str_eq(buf_text(&request.line), cases[_i].line);
        ck_assert_uint_eq(error.length, 0);
    } else {
        ck_assert(!ok);
        ck_assert_msg(strstr(buf_text(&error), cases[_i].error) != NULL, "%s", buf_text(&error));
        ck_assert_ptr_null(strchr(buf_text(&error), '\n'));
    }
    request_free(&request);
    buf_free(&error);
}
END_TEST

static struct request build(const char *a, const char *b, const char *c)
{
    const char *words[] = {a, b, c};
    struct buf error = {0};
    struct request request;

    ck_assert_msg(request_build(&request, (char *const *)words, c ? 3 : b ? 2 : 1, &error), "%s",
                  buf_text(&error));
    buf_free(&error);
    return request;
}

START_TEST(test_limits)
{
    struct request reload = build("reload", "--wait", "5");
    struct request stop = build("stop", NULL, NULL);
    struct request status = build("status", "--watch", NULL);

    ck_assert_int_eq(reload.limit, 7000);
    ck_assert(!reload.until_closed);
    ck_assert_int_eq(stop.limit, REQUEST_FOREVER);
    ck_assert(stop.until_closed);
    ck_assert(status.watch);
    ck_assert_int_gt(status.limit, 0);
    request_free(&reload);
    request_free(&stop);
    request_free(&status);
}
END_TEST

START_TEST(test_check_relative)
{
    struct request request = build("check", "x.conf", NULL);
    char *folder = getcwd(NULL, 0);
    struct buf expected = {0};

    buf_printf(&expected, "check %s/x.conf\n", folder);
    ck_assert_str_eq(buf_text(&request.line), buf_text(&expected));
    buf_free(&expected);
    free(folder);
    request_free(&request);
}
END_TEST

START_TEST(test_too_long)
{
    char word[CONTROL_LINE + 1];
    const char *words[] = {"check", word};
    struct buf error = {0};
    struct request request;

    memset(word, '/', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    ck_assert(!request_build(&request, (char *const *)words, 2, &error));
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "too long"));
    request_free(&request);
    word[CONTROL_LINE - strlen("check ") - 1] = '\0'; /* fits exactly, newline included */
    buf_clear(&error);
    ck_assert(request_build(&request, (char *const *)words, 2, &error));
    ck_assert_uint_eq(request.line.length, CONTROL_LINE);
    request_free(&request);
    buf_free(&error);
}
END_TEST

static bool read_words(struct options *options, struct buf *error, const char *const *words)
{
    int n = 0;

    while (words[n])
        n++;
    return options_read(options, n, (char **)words, error);
}

START_TEST(test_options)
{
    const char *before[] = {"reevectl", "-s", "/x", "--json", "status", "--watch", NULL};
    const char *behind[] = {"reevectl", "status", "--watch", "--json", "-s/x", NULL};
    const char *const *both[] = {before, behind};
    struct buf error = {0};

    for (size_t i = 0; i < 2; i++) {
        struct options options;

        ck_assert(read_words(&options, &error, both[i]));
        ck_assert_str_eq(options.socket, "/x");
        ck_assert(options.json);
        ck_assert_uint_eq(options.word_count, 2);
        ck_assert_str_eq(options.words[0], "status");
        ck_assert_str_eq(options.words[1], "--watch");
        options_free(&options);
    }
    buf_free(&error);
}
END_TEST

START_TEST(test_options_end)
{
    const char *words[] = {"reevectl", "check", "--", "--json", NULL};
    struct options options;
    struct buf error = {0};

    ck_assert(read_words(&options, &error, words));
    ck_assert(!options.json);
    ck_assert_uint_eq(options.word_count, 3);
    options_free(&options);
    buf_free(&error);
}
END_TEST

START_TEST(test_options_refused)
{
    const char *no_value[] = {"reevectl", "status", "-s", NULL};
    const char *unknown[] = {"reevectl", "-x", "status", NULL};
    const char *early[] = {"reevectl", "--wait", "5", "reload", NULL};
    const char *empty[] = {"reevectl", "--socket=", "status", NULL};
    const char *const *all[] = {no_value, unknown, early, empty};

    for (size_t i = 0; i < 4; i++) {
        struct options options;
        struct buf error = {0};

        ck_assert(!read_words(&options, &error, all[i]));
        ck_assert_uint_gt(error.length, 0);
        options_free(&options);
        buf_free(&error);
    }
}
END_TEST

START_TEST(test_usage_names_every_verb)
{
    struct buf usage = {0};

    options_put_usage(&usage);
    for (int i = 0; i < VERBS; i++) {
        struct buf line = {0};

        buf_printf(&line, "\n  %s ", verb_table[i].name);
        ck_assert_ptr_nonnull(strstr(buf_text(&usage), buf_text(&line)));
        buf_free(&line);
    }
    buf_free(&usage);
}
END_TEST

UNIT_MAIN("ctl-request", EACH(test_line, cases), ONCE(test_limits), ONCE(test_check_relative),
          ONCE(test_too_long), ONCE(test_options), ONCE(test_options_end),
          ONCE(test_options_refused), ONCE(test_usage_names_every_verb))
