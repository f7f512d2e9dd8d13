/* static: the media types of a route, as configured, built in, and the system's. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "../../modules/static/types.h"
#include "static-tree.h"
#include "unit.h"

enum { ROOT, TYPES, DEFAULT_TYPE, CHARSET, OPTIONS };

static struct fake_value values[OPTIONS + 1] = {
    [ROOT] = {.name = "root", .text = tree.root},
    [TYPES] = {.name = "types"},
    [DEFAULT_TYPE] = {.name = "default_type", .text = OCTETS},
    [CHARSET] = {.name = "charset", .text = "utf-8"},
};

/* A file of that name is served as that. */
static void is_type(const char *name, const char *type)
{
    tree_put(name, "text");
    char path[64];
    snprintf(path, sizeof path, "/%s", name);
    ck_assert_int_eq(tree_ask("GET", path), 200);
    ck_assert_str_eq(asked.type, type);
}

START_TEST(test_types)
{
    static const char *const types[] = {"md text/plain", ".LOG \t text/x-log; charset=latin1",
                                        "html application/xhtml+xml", "x a/b;c=d"};
    values[TYPES].items = types;
    values[TYPES].count = 4;
    ck_assert_int_eq(tree_configure_by(values), 0);
    is_type("a.md", "text/plain; charset=utf-8");
    is_type("a.log", "text/x-log; charset=latin1");
    is_type("a.HTML", "application/xhtml+xml");
    is_type("a.x", "a/b;c=d");
    is_type("a.css", "text/css; charset=utf-8");
    is_type("a.unheard-of", "application/octet-stream");
    is_type("README", "application/octet-stream");
}
END_TEST

START_TEST(test_charset)
{
    static const char *const types[] = {"md text/x-own", "txt text/x-own", "csv text/x-own",
                                        "htm text/x-own", "mjs text/x-own", "js text/x-own"};
    static const char *const own[] = {"a.md", "a.txt", "a.csv", "a.htm", "a.mjs", "a.js"};
    tree_put("mime", "text/x-odd odd\ntext/x-wrong css md\nimage/x-odd iodd\n");
    types_load(tree_path("mime"));
    values[TYPES].items = types;
    values[TYPES].count = sizeof types / sizeof *types;
    values[CHARSET].text = "ISO-8859-1";
    values[DEFAULT_TYPE].text = "text/plain";
    ck_assert_int_eq(tree_configure_by(values), 0);
    is_type("a.css", "text/css; charset=ISO-8859-1");
    is_type("a.odd", "text/x-odd; charset=ISO-8859-1");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        is_type(own[i], "text/x-own; charset=ISO-8859-1");
    is_type("a.iodd", "image/x-odd");
    is_type("a.png", "image/png");
    is_type("README", "text/plain; charset=ISO-8859-1");
    values[CHARSET].text = values[DEFAULT_TYPE].text = "";
    ck_assert_int_eq(tree_configure_by(values), 0);
    is_type("a.css", "text/css");
    is_type("a.odd", "text/x-odd");
    is_type("a.md", "text/x-own");
    is_type("README", "");
}
END_TEST

static const struct {
    int option;
    const char *text, *error;
} mistakes[] = {
    {TYPES, "md", "types: \"md\" is no extension with a media type: write it as in"},
    {TYPES, "", "types: \"\" is no"},
    {TYPES, "text/plain md", "is no extension"},
    {TYPES, "md text", "is no extension"},
    {TYPES, "md text/", "is no extension"},
    {TYPES, "md /plain", "is no extension"},
    {TYPES, "md text/; charset=x", "is no extension"},
    {TYPES, "md text/plain markdown", "is no extension"},
    {TYPES, "md text/plain\r\nX: y", "is no extension"},
    {TYPES, "tar.gz application/gzip", "is no extension"},
    {TYPES, "MD text/b", "types: the extension \"MD\" stands twice: remove one"},
    {CHARSET, "utf 8", "charset: \"utf 8\" is no name of a character set"},
    {CHARSET, "a-name-that-is-far-too-long-for-it", "is no name of a character set"},
    {DEFAULT_TYPE, "plain", "default_type: \"plain\" is no media type"},
};

START_TEST(test_mistakes)
{
    const char *types[] = {"md text/a", mistakes[_i].text};
    if (mistakes[_i].option == TYPES)
        values[TYPES] = (struct fake_value){.name = "types", .items = types, .count = 2};
    else
        values[mistakes[_i].option].text = mistakes[_i].text;
    ck_assert_int_eq(tree_configure_by(values), -1);
    ck_assert_msg(strstr(fake_error, mistakes[_i].error) != NULL, "%s", fake_error);
}
END_TEST

UNIT_MAIN_AROUND("static-types", tree_make, tree_tear_down, ONCE(test_types), ONCE(test_charset),
                 EACH(test_mistakes, mistakes))
