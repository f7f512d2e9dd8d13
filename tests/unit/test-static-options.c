/* static: what its options add to answers, which of their values are refused, media types. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "../../modules/static/types.h"
#include "static-tree.h"
#include "unit.h"

START_TEST(test_extra_fields)
{
    tree_put("root/a.txt.gz", "packed");
    static const char *const codings[] = {"br", "gzip"};
    static const char *const lines[] = {"X-A: one", "X-B:\ttwo, three ", "X-C:"};
    static struct fake_value values[7];
    values[4] = (struct fake_value){.name = "default_type", .text = OCTETS};
    values[5] = (struct fake_value){.name = "charset", .text = "utf-8"};
    values[0] = (struct fake_value){.name = "root", .text = tree.root};
    values[1] = (struct fake_value){.name = "precompressed", .items = codings, .count = 2};
    values[2] = (struct fake_value){.name = "headers", .items = lines, .count = 3};
    values[3] = (struct fake_value){.name = "cache_control", .text = "no-cache"};
    reeve_section section = {.values = values};
    const reeve_handler *handler = reeve_module_descriptor.handler;
    ck_assert_int_eq(handler->configure(&section, "/", &tree.config), 0);
    tree.descriptors = tree_next_descriptor();
    ck_assert_int_eq(tree_ask("GET", "/none"), 404);
    ck_assert_str_eq(asked.fields, "X-A: one\nX-B: two, three\nX-C: \n");
    tree_serves("/a.txt", TEXT, "a text");
    ck_assert_ptr_nonnull(strstr(asked.fields, "\nVary: Accept-Encoding\n"));
    ck_assert_ptr_nonnull(strstr(asked.fields, "\nCache-Control: no-cache\n"));
    ck_assert_ptr_null(strstr(asked.fields, "Content-Encoding"));
}
END_TEST

static void refused(const struct fake_value *values, const char *text)
{
    void *ignored = NULL;
    reeve_section section = {.values = values};
    ck_assert_int_eq(reeve_module_descriptor.handler->configure(&section, "/", &ignored), -1);
    ck_assert_msg(strstr(fake_error, text) != NULL, "%s", fake_error);
}

START_TEST(test_configuration_refused)
{
    refused((struct fake_value[]){{.name = "root", .text = ""}, {0}}, "needs a root");
    static const char *const bad[] = {"index.html", "/", "/sub/", "/.hidden", "/a/../.git"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused((struct fake_value[]){{.name = "root", .text = tree.root},
                                      {.name = "fallback", .text = bad[i]},
                                      {0}},
                "fallback: \"");
    refused((struct fake_value[]){{.name = "root", .text = "/nonexistent"}, {0}},
            "root: cannot open the folder \"/nonexistent\": No such file");
#define LIST(option, ...)                                                                          \
    (struct fake_value[])                                                                          \
    {                                                                                              \
        {.name = "root", .text = tree.root}, {.name = option,                                      \
                                              .items = (const char *const[]){__VA_ARGS__},         \
                                              .count = sizeof((const char *[]){__VA_ARGS__}) /     \
                                                       sizeof(char *)}, {0}                        \
    }
    refused(LIST("extensions", ".html", "/index.html"), "\"/index.html\" is not a file name");
    refused(LIST("index", ""), "\"\" is not a file name");
    refused(LIST("precompressed", "gz"), "\"gz\" is no content coding known here: write br");
    refused(LIST("precompressed", "br", "gzip", "br"), "\"br\" stands there twice");
    refused(LIST("headers", "X-A: b", "no colon"), "\"no colon\" is no header");
    refused(LIST("headers", ": b"), "is no header");
    refused(LIST("headers", "X A: b"), "is no header");
    refused(LIST("headers", "X-A : b"), "is no header");
    refused(LIST("headers", "X-A: b\r\nX-B: c"), "is no header");
    refused(LIST("headers", "content-length: 1"), "content-length is written by the server");
    refused(LIST("headers", "ETag: x"), "ETag is written by the server itself");
    refused(LIST("headers", "Cache-control: x"), "set cache_control");
    refused((struct fake_value[]){{.name = "root", .text = tree.root},
                                  {.name = "cache_control", .text = "a\nb"}, {0}},
            "cache_control: there is a control character");
    refused((struct fake_value[]){{.name = "root", .text = "/etc/passwd"}, {0}}, "Not a directory");
}
END_TEST

START_TEST(test_types)
{
    struct types types = {.fallback = (char *)OCTETS};
    types_unload();
    ck_assert_str_eq(types_find(&types, "x.unheard-of"), OCTETS);
    ck_assert_str_eq(types_find(&types, "a.b/c"), OCTETS);
    ck_assert_str_eq(types_find(&types, "x."), OCTETS);
    tree_put("mime.types", "# comment\n\ntext/x-odd  unheard-of other\nimage/x-odd\tODD\n"
                      "application/wrong html\nimage/none\n");
    char path[256];
    snprintf(path, sizeof path, "%s/mime.types", tree.base);
    types_load(path);
    ck_assert_str_eq(types_find(&types, "x.unheard-of"), "text/x-odd; charset=utf-8");
    ck_assert_str_eq(types_find(&types, "x.Other"), "text/x-odd; charset=utf-8");
    ck_assert_str_eq(types_find(&types, "x.odd"), "image/x-odd");
    ck_assert_str_eq(types_find(&types, "x.html"), HTML);
    static const char *const all[] = {"atom", "avif", "css", "htm", "jpg", "js", "json", "mjs",
                                      "png", "svg", "txt", "wasm", "webp", "woff", "woff2",
                                      "xml", "zip"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[32];
        snprintf(name, sizeof name, "x.%s", all[i]);
        ck_assert_str_ne(types_find(&types, name), OCTETS);
    }
}
END_TEST

UNIT_MAIN_AROUND("static-options", tree_set_up, tree_tear_down, ONCE(test_extra_fields),
                 ONCE(test_configuration_refused), ONCE(test_types))
