/* static: listings of folders, and the field Accept; against a tree of the test's own. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../modules/static/listing.h"
#include "../../modules/static/prefer.h"
#include "static-tree.h"
#include "unit.h"

static int ask(const char *path)
{
    return tree_ask("GET", path);
}

/* How often a text stands in the answer's body. */
static unsigned count(const char *text)
{
    unsigned found = 0;
    for (const char *at = asked.body; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

#define SHOWS(text) ck_assert_msg(count(text) == 1, "%u times %s in %s", count(text), text, \
                                  asked.body)
#define HIDES(text) ck_assert_msg(count(text) == 0, "%s in %s", text, asked.body)
#define BEFORE(a, b) ck_assert(strstr(asked.body, a) < strstr(asked.body, b))

/* ---------------------------------------------------------------- a route ----------- */

enum { ROOT, DOTFILES, SYMLINKS, LISTING, LIMIT, CHARSET, OPTIONS };

static struct fake_value values[OPTIONS + 1] = {
    [ROOT] = {.name = "root", .text = tree.root},
    [DOTFILES] = {.name = "dotfiles", .text = "hide"},
    [SYMLINKS] = {.name = "symlinks"},
    [LISTING] = {.name = "listing", .number = 1},
    [LIMIT] = {.name = "listing_limit", .number = 100},
    [CHARSET] = {.name = "charset", .text = "utf-8"},
};

static int configure(void)
{
    return tree_configure_by(values);
}

static void set_time(const char *name, time_t time)
{
    struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
    ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(name), times, 0), 0);
}

/* ---------------------------------------------------------------- the page ---------- */

#define JSON "application/json"

START_TEST(test_page)
{
    tree_folder("zoo");
    tree_folder("Ant");
    tree_put("b.txt", "text");
    tree_put("A.txt", "text");
    tree_put(".hidden", "text");
    set_time("b.txt", 1795215662);
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_str_eq(asked.type, HTML);
    ck_assert_ptr_nonnull(strstr(asked.fields, "Vary: Accept\n"));
    ck_assert_ptr_nonnull(strstr(asked.fields, "Content-Security-Policy: default-src 'none';"));
    ck_assert_ptr_null(strstr(asked.fields, "Listing-Limit"));
    SHOWS("<title>/</title>");
    SHOWS("<h1><bdi>/</bdi></h1>");
    SHOWS("<tr><td><a href=\"Ant/\"><bdi>Ant</bdi>/</a></td><td>-</td><td>");
    SHOWS("<tr><td><a href=\"b.txt\"><bdi>b.txt</bdi></a></td><td title=\"4 bytes\">4 B</td>"
          "<td>2026-11-20 23:01</td></tr>");
    SHOWS("<p>2 folders, 2 files, 8 B</p>");
    BEFORE("\"Ant/", "\"zoo/");
    BEFORE("\"zoo/", "\"A.txt");
    BEFORE("\"A.txt", "\"b.txt");
    HIDES(".hidden");
    HIDES("../");
    HIDES("more than is shown");
}
END_TEST

START_TEST(test_empty_folder)
{
    tree_folder("a&b");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/a&b/"), 200);
    SHOWS("<title>/a&amp;b/</title>");
    SHOWS("<a href=\"../\">../</a>");
    SHOWS("<p>0 folders, 0 files, 0 B</p>");
}
END_TEST

START_TEST(test_one_of_each)
{
    tree_folder("f");
    tree_put("a", "text");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    SHOWS("<p>1 folder, 1 file, 4 B</p>");
}
END_TEST

START_TEST(test_index_first)
{
    static const char *const index[] = {"index.html"};
    const struct fake_value with_index[] = {values[ROOT], values[LISTING], values[LIMIT],
                                            values[CHARSET],
                                            {.name = "index", .items = index, .count = 1}, {0}};
    tree_put("index.html", "text");
    ck_assert_int_eq(tree_configure_by(with_index), 0);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_str_eq(asked.body, "text");
}
END_TEST

START_TEST(test_missing_folder)
{
    tree_put("a.txt", "text");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/none/"), 404);
    ck_assert_int_eq(ask("/a.txt/"), 404);
}
END_TEST

/* What may not be read is not listed, and no index is looked for in its place. */
START_TEST(test_unreadable_folder)
{
    if (geteuid() == 0)
        return; /* root may read anything */
    tree_folder("closed");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(chmod(tree_path("closed"), 0300), 0);
    ck_assert_int_eq(ask("/closed/"), 403);
    ck_assert_int_eq(chmod(tree_path("closed"), 0700), 0);
}
END_TEST

START_TEST(test_off)
{
    values[LISTING].number = 0;
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 403);
    values[LISTING].number = 1;
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
}
END_TEST

/* A folder is not for the loop to read, but a file of the same route is. */
START_TEST(test_only_lists_are_for_the_pool)
{
    tree_put("a", "text");
    ck_assert_int_eq(configure(), 0);
    ck_assert(!reeve_module_descriptor.handler->blocking);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert(asked.waited);
    ck_assert_int_eq(ask("/a"), 200);
    ck_assert(!asked.waited);
}
END_TEST

START_TEST(test_head)
{
    tree_put("a", "text");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    size_t length = asked.length;
    ck_assert_int_eq(tree_ask("HEAD", "/"), 200);
    ck_assert_uint_eq(asked.length, length);
}
END_TEST

/* ---------------------------------------------------------------- names ------------- */

static const struct {
    const char *name, *url, *html, *json;
} names[] = {
    {"\"><script>alert(1)<!--", "%22%3E%3Cscript%3Ealert%281%29%3C%21--",
     "&quot;&gt;&lt;script&gt;alert(1)&lt;!--", "\\\"><script>alert(1)<!--"},
    {"' onclick='x", "%27%20onclick%3D%27x", "&#39; onclick=&#39;x", "' onclick='x"},
    {"a&lt;b", "a%26lt%3Bb", "a&amp;lt;b", "a&lt;b"},
    {"javascript:alert(1)", "javascript%3Aalert%281%29", "javascript:alert(1)",
     "javascript:alert(1)"},
    {"%41?x#y", "%2541%3Fx%23y", "%41?x#y", "%41?x#y"},
    {"back\\slash", "back%5Cslash", "back\\slash", "back\\\\slash"},
    {"b\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb", "b%C3%A4r%20%E2%82%AC%20%F0%9F%90%BB",
     "b\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb", "b\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb"},
    {"line\nfeed\t\x7f", "line%0Afeed%09%7F", "line\xef\xbf\xbd" "feed\xef\xbf\xbd\xef\xbf\xbd",
     "line\\u000afeed\\u0009\\u007f"},
    {"\xff\xfe", "%FF%FE", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"cut\xe2\x82", "cut%E2%82", "cut\xef\xbf\xbd\xef\xbf\xbd", "cut\xef\xbf\xbd\xef\xbf\xbd"},
    {"long\xc0\xaf", "long%C0%AF", "long\xef\xbf\xbd\xef\xbf\xbd", "long\xef\xbf\xbd\xef\xbf\xbd"},
    {"long\xe0\x82\xaf", "long%E0%82%AF", "long\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "long\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"half\xed\xa0\x80", "half%ED%A0%80", "half\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "half\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"far\xf4\x90\x80\x80", "far%F4%90%80%80",
     "far\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "far\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"c1\xc2\x85", "c1%C2%85", "c1\xef\xbf\xbd", "c1\\u0085"},
    {"turn\xe2\x80\xae" "gpj.exe", "turn%E2%80%AEgpj.exe", "turn\xef\xbf\xbd" "gpj.exe",
     "turn\xe2\x80\xae" "gpj.exe"},
};

START_TEST(test_names)
{
    char want[512];
    tree_put(names[_i].name, "text");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    snprintf(want, sizeof want, "<a href=\"%s\"><bdi>%s</bdi></a>", names[_i].url, names[_i].html);
    SHOWS(want);
    asked.accept = JSON;
    ck_assert_int_eq(ask("/"), 200);
    snprintf(want, sizeof want, "{\"name\": \"%s\", \"type\"", names[_i].json);
    SHOWS(want);
}
END_TEST

/* ---------------------------------------------------------------- sizes, times ------ */

static const struct {
    uint64_t size;
    const char *text;
} sizes[] = {
    {0, "0 B"},
    {1023, "1023 B"},
    {1024, "1.0 KiB"},
    {1536, "1.5 KiB"},
    {10239, "10 KiB"},
    {1048575, "1.0 MiB"},
    {5368709120, "5.0 GiB"},
    {UINT64_MAX, "16 EiB"},
};

/* Into the answer's body. */
static void write_one(struct listing_entry entry, bool json)
{
    struct listing listing = {.entries = &entry, .count = 1};
    memset(asked.body, 0, sizeof asked.body);
    FILE *out = fmemopen(asked.body, sizeof asked.body, "w");
    if (json)
        listing_write_json(out, &listing);
    else
        listing_write_page(out, &listing, "/", false);
    ck_assert_int_eq(fclose(out), 0);
}

START_TEST(test_sizes)
{
    char want[64];
    snprintf(want, sizeof want, "\">%s</td><td>", sizes[_i].text);
    write_one((struct listing_entry){.name = (char *)"x", .size = sizes[_i].size}, false);
    SHOWS(want);
}
END_TEST

/* A time that no calendar holds. */
START_TEST(test_no_time)
{
    struct listing_entry entry = {.name = (char *)"x", .modified = INT64_MAX};
    write_one(entry, true);
    ck_assert_str_eq(asked.body, "[\n{\"name\": \"x\", \"type\": \"file\", "
                                 "\"size\": 0, \"modified\": null}\n]\n");
    write_one(entry, false);
    SHOWS("0 B</td><td></td></tr>");
}
END_TEST

/* ---------------------------------------------------------------- JSON -------------- */

START_TEST(test_json)
{
    tree_put("a.txt", "text");
    tree_folder("sub");
    set_time("a.txt", 1795215662);
    set_time("sub", 1795215663);
    ck_assert_int_eq(configure(), 0);
    asked.accept = JSON;
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_str_eq(asked.type, JSON);
    ck_assert_str_eq(asked.fields, "Vary: Accept\n");
    ck_assert_str_eq(asked.body,
                     "[\n{\"name\": \"sub\", \"type\": \"directory\", \"size\": null, "
                     "\"modified\": \"2026-11-20T23:01:03Z\"},\n"
                     "{\"name\": \"a.txt\", \"type\": \"file\", \"size\": 4, "
                     "\"modified\": \"2026-11-20T23:01:02Z\"}\n]\n");
    ck_assert_int_eq(ask("/sub/"), 200);
    ck_assert_str_eq(asked.body, "[\n]\n");
}
END_TEST

static const struct {
    const char *accept;
    int json, html; /* weights */
} accepts[] = { /* RFC 9110, 12.5.1 */
    {NULL, 1000, 1000},
    {"", 0, 0},
    {"*/*", 1000, 1000},
    {"application/json", 1000, 0},
    {"Application/JSON", 1000, 0},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 800, 1000},
    {"application/json, text/html;q=0.5", 1000, 500},
    {"text/html;q=0.5 , application/json ; q=0.75", 750, 500},
    {"text/*;q=0.3, application/*", 1000, 300},
    {"*/*, application/json;q=0", 0, 1000},
    {"application/json;q=0, */*", 0, 1000},
    {"application/json;charset=utf-8;Q=0.25", 250, 0},
    {"application/json;q=0.001", 1, 0},
    {"application/json;q=1.000", 1000, 0},
    {"application/json;q=1.001", 0, 0},
    {"application/json;q=2", 0, 0},
    {"application/json;q=", 0, 0},
    {"application/json;q=0.x", 0, 0},
    {"application/json;q=0.1234", 0, 0},
    {"application/jsonp, application/jso, json, */json", 0, 0},
    {",, ,application/json,", 1000, 0},
    {"application/json ;", 1000, 0},
};

START_TEST(test_accept)
{
    ck_assert_int_eq(prefer_weight(accepts[_i].accept, JSON), accepts[_i].json);
    ck_assert_int_eq(prefer_weight(accepts[_i].accept, "text/html"), accepts[_i].html);
    ck_assert_int_eq(configure(), 0);
    asked.accept = accepts[_i].accept;
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_str_eq(asked.type, accepts[_i].json > accepts[_i].html ? JSON : HTML);
}
END_TEST

/* ---------------------------------------------------------------- what is shown ----- */

START_TEST(test_limit)
{
    tree_put("a", "text");
    tree_put("b", "text");
    tree_put("c", "text");
    values[LIMIT].number = 3;
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_uint_eq(count("<bdi>"), 4); /* the title's too */
    HIDES("more than is shown");
    ck_assert_ptr_null(strstr(asked.fields, "Listing-Limit"));

    values[LIMIT].number = 2;
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_uint_eq(count("<bdi>"), 3);
    SHOWS("more than is shown");
    ck_assert_ptr_nonnull(strstr(asked.fields, "Listing-Limit: 2\n"));
    asked.accept = JSON;
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_uint_eq(count("\"name\""), 2);
    ck_assert_ptr_nonnull(strstr(asked.fields, "Listing-Limit: 2\n"));
}
END_TEST

/* A link is shown as what it leads to, if a request for it would be served. */
START_TEST(test_links)
{
    tree_folder("sub");
    tree_put("sub/file", "text");
    tree_link("file", "sub/to-file");
    tree_link(".", "sub/to-folder");
    tree_link("loop", "sub/loop");
    tree_link("none", "sub/broken");
    tree_link("/etc/passwd", "sub/absolute");
    tree_link("../../../etc/passwd", "sub/out");
    ck_assert_int_eq(mkfifo(tree_path("sub/pipe"), 0644), 0);
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/sub/"), 200);
    SHOWS("<a href=\"to-file\"><bdi>to-file</bdi></a></td><td title=\"4 bytes\">");
    SHOWS("<a href=\"to-folder/\">");
    SHOWS("<p>1 folder, 2 files,");
    values[SYMLINKS].number = 1;
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/sub/"), 200);
    SHOWS("<a href=\"absolute\">");
    SHOWS("<a href=\"out\">");
    SHOWS("<p>1 folder, 4 files,");
}
END_TEST

START_TEST(test_dotfiles)
{
    tree_put(".hidden", "text");
    tree_folder(".git");
    tree_folder(".well-known");
    tree_put(".well-known/acme", "text");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    SHOWS("<p>0 folders, 0 files,");
    ck_assert_int_eq(ask("/.hidden"), 404);
    ck_assert_int_eq(ask("/.git/"), 404);
    ck_assert_int_eq(ask("/.well-known/acme"), 200);
    values[DOTFILES].text = "serve";
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    SHOWS("<a href=\".hidden\">");
    SHOWS("<p>2 folders, 1 file,");
    ck_assert_int_eq(ask("/.hidden"), 200);
    ck_assert_int_eq(ask("/.git/"), 200);
    ck_assert_int_eq(ask("/.well-known/acme"), 200);
}
END_TEST

/* A browser takes "/\host" for "//host", another server. */
START_TEST(test_redirect_stays_here)
{
    tree_folder("\\evil.example");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/\\evil.example"), 301);
    ck_assert_str_eq(asked.fields, "Location: /%5Cevil.example/\n");
}
END_TEST

UNIT_MAIN_AROUND("static-listing", tree_make, tree_tear_down, ONCE(test_page),
                 ONCE(test_empty_folder), ONCE(test_one_of_each), ONCE(test_index_first),
                 ONCE(test_missing_folder), ONCE(test_unreadable_folder), ONCE(test_off),
                 ONCE(test_only_lists_are_for_the_pool), ONCE(test_head),
                 EACH(test_names, names), EACH(test_sizes, sizes), ONCE(test_no_time),
                 ONCE(test_json), EACH(test_accept, accepts), ONCE(test_limit), ONCE(test_links),
                 ONCE(test_dotfiles), ONCE(test_redirect_stays_here))
