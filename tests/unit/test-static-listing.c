/* static: listings of folders, the field Accept, and the media types of a route; against a
 * temporary tree, with a request of our own in place of http's. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../modules/static/listing.h"
#include "../../modules/static/prefer.h"
#include "../../modules/static/types.h"
#include "fake-reeve.h"
#include "fake-turns.h"
#include "temp.h"
#include "unit.h"

extern const reeve_module reeve_module_descriptor;

/* ---------------------------------------------------------------- a request --------- */

static struct {
    struct reeve_request public; /* first */
    const char *method, *path, *accept;
    int status;
    char type[128], fields[1024];
    char *body; /* ends with NUL */
    size_t length;
} asked;

static const char *get_method(const reeve_request *r) { return (void)r, asked.method; }
static const char *get_path(const reeve_request *r) { return (void)r, asked.path; }
static const char *get_query(const reeve_request *r) { return (void)r, ""; }

static const char *get_header(const reeve_request *r, const char *name)
{
    (void)r;
    return strcmp(name, "Accept") == 0 ? asked.accept : NULL;
}

static int set_header(reeve_request *r, const char *name, const char *value)
{
    (void)r;
    size_t end = strlen(asked.fields);
    snprintf(asked.fields + end, sizeof asked.fields - end, "%s: %s\n", name, value);
    return 0;
}

static int reply(reeve_request *r, int status, const char *type, const void *body, size_t length)
{
    (void)r;
    ck_assert_int_eq(asked.status, 0);
    asked.status = status;
    snprintf(asked.type, sizeof asked.type, "%s", type != NULL ? type : "");
    free(asked.body);
    asked.body = strndup(length > 0 ? body : "", length);
    asked.length = length;
    return 0;
}

static int reply_file(reeve_request *r, int status, const char *type, int fd, off_t offset,
                      size_t length)
{
    (void)offset;
    close(fd);
    reply(r, status, type, NULL, 0);
    asked.length = length;
    return 0;
}

static int reply_status(reeve_request *r, int status)
{
    return reply(r, status, NULL, NULL, 0);
}

static const struct reeve_http_api api = {
    .method = get_method, .path = get_path, .rest = get_path, .query = get_query,
    .header = get_header, .set_header = set_header, .reply = reply, .reply_file = reply_file,
    .reply_status = reply_status, TURNS_API,
};

static void *config;

/* In the loop, and if it is to be asked there, in the pool. */
static void handle(void)
{
    turns_forget();
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(&asked.public, config), 0);
    if (!turns.again)
        return;
    ck_assert_int_eq(asked.status, 0);
    asked.fields[0] = '\0';
    turns.waits = true;
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(&asked.public, config), 0);
}

static int ask(const char *path)
{
    asked.public.api = &api;
    asked.method = "GET";
    asked.path = path;
    asked.status = 0;
    asked.type[0] = asked.fields[0] = '\0';
    handle();
    return asked.status;
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

enum { ROOT, TYPES, DOTFILES, SYMLINKS, LISTING, LIMIT, DEFAULT_TYPE, CHARSET, OPTIONS };

static struct fake_value values[OPTIONS + 1] = {
    [ROOT] = {.name = "root", .text = temp_folder},
    [TYPES] = {.name = "types"},
    [DOTFILES] = {.name = "dotfiles", .text = "hide"},
    [SYMLINKS] = {.name = "symlinks"},
    [LISTING] = {.name = "listing", .number = 1},
    [LIMIT] = {.name = "listing_limit", .number = 100},
    [DEFAULT_TYPE] = {.name = "default_type", .text = "application/octet-stream"},
    [CHARSET] = {.name = "charset", .text = "utf-8"},
};

static int configure(void)
{
    reeve_section section = {.values = values};
    return reeve_module_descriptor.handler->configure(&section, "/", &config);
}

static void put(const char *name)
{
    temp_write(temp_path(name), "text");
}

static void folder(const char *name)
{
    ck_assert_int_eq(mkdir(temp_path(name), 0755), 0);
}

static void set_time(const char *name, time_t time)
{
    struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
    ck_assert_int_eq(utimensat(AT_FDCWD, temp_path(name), times, 0), 0);
}

static void tear_down(void)
{
    reeve_module_descriptor.worker_exit();
    temp_remove();
    turns_forget();
    free(asked.body);
    asked.body = NULL;
}

/* ---------------------------------------------------------------- the page ---------- */

#define PAGE "text/html; charset=utf-8"
#define JSON "application/json"

START_TEST(test_page)
{
    folder("zoo");
    folder("Ant");
    put("b.txt");
    put("A.txt");
    put(".hidden");
    set_time("b.txt", 1795215662);
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_str_eq(asked.type, PAGE);
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
    folder("a&b");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/a&b/"), 200);
    SHOWS("<title>/a&amp;b/</title>");
    SHOWS("<a href=\"../\">../</a>");
    SHOWS("<p>0 folders, 0 files, 0 B</p>");
}
END_TEST

START_TEST(test_one_of_each)
{
    folder("f");
    put("a");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    SHOWS("<p>1 folder, 1 file, 4 B</p>");
}
END_TEST

START_TEST(test_index_first)
{
    static const char *const index[] = {"index.html"};
    reeve_section section = {.values = (struct fake_value[]){
        values[ROOT], values[LISTING], values[LIMIT], values[CHARSET],
        {.name = "index", .items = index, .count = 1}, {0}}};
    put("index.html");
    ck_assert_int_eq(reeve_module_descriptor.handler->configure(&section, "/", &config), 0);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert_str_eq(asked.body, "text");
}
END_TEST

START_TEST(test_missing_folder)
{
    put("a.txt");
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
    folder("closed");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(chmod(temp_path("closed"), 0300), 0);
    ck_assert_int_eq(ask("/closed/"), 403);
    ck_assert_int_eq(chmod(temp_path("closed"), 0700), 0);
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
    put("a");
    ck_assert_int_eq(configure(), 0);
    ck_assert(!reeve_module_descriptor.handler->blocking);
    ck_assert_int_eq(ask("/"), 200);
    ck_assert(turns.waits);
    ck_assert_int_eq(ask("/a"), 200);
    ck_assert(!turns.waits);
}
END_TEST

START_TEST(test_head)
{
    put("a");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/"), 200);
    size_t length = asked.length;
    asked.method = "HEAD";
    asked.status = 0;
    handle();
    ck_assert_int_eq(asked.status, 200);
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
    put(names[_i].name);
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

static char *write_one(struct listing_entry entry, bool json)
{
    struct listing listing = {.entries = &entry, .count = 1};
    size_t length;
    FILE *out = open_memstream(&asked.body, &length);
    if (json)
        listing_write_json(out, &listing);
    else
        listing_write_page(out, &listing, "/", false);
    ck_assert_int_eq(fclose(out), 0);
    return asked.body;
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
    ck_assert_str_eq(write_one(entry, true), "[\n{\"name\": \"x\", \"type\": \"file\", "
                                             "\"size\": 0, \"modified\": null}\n]\n");
    free(asked.body);
    write_one(entry, false);
    SHOWS("0 B</td><td></td></tr>");
}
END_TEST

/* ---------------------------------------------------------------- JSON -------------- */

START_TEST(test_json)
{
    put("a.txt");
    folder("sub");
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
    ck_assert_str_eq(asked.type, accepts[_i].json > accepts[_i].html ? JSON : PAGE);
}
END_TEST

/* ---------------------------------------------------------------- what is shown ----- */

START_TEST(test_limit)
{
    put("a");
    put("b");
    put("c");
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

static void link_to(const char *target, const char *name)
{
    ck_assert_int_eq(symlink(target, temp_path(name)), 0);
}

/* A link is shown as what it leads to, if a request for it would be served. */
START_TEST(test_links)
{
    folder("sub");
    put("sub/file");
    link_to("file", "sub/to-file");
    link_to(".", "sub/to-folder");
    link_to("loop", "sub/loop");
    link_to("none", "sub/broken");
    link_to("/etc/passwd", "sub/absolute");
    link_to("../../../etc/passwd", "sub/out");
    ck_assert_int_eq(mkfifo(temp_path("sub/pipe"), 0644), 0);
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
    put(".hidden");
    folder(".git");
    folder(".well-known");
    put(".well-known/acme");
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
    folder("\\evil.example");
    ck_assert_int_eq(configure(), 0);
    ck_assert_int_eq(ask("/\\evil.example"), 301);
    ck_assert_str_eq(asked.fields, "Location: /%5Cevil.example/\n");
}
END_TEST

/* ---------------------------------------------------------------- types ------------- */

static void is_type(const char *name, const char *type)
{
    put(name);
    char path[64];
    snprintf(path, sizeof path, "/%s", name);
    ck_assert_int_eq(ask(path), 200);
    ck_assert_str_eq(asked.type, type);
}

START_TEST(test_types)
{
    static const char *const types[] = {"md text/plain", ".LOG \t text/x-log; charset=latin1",
                                        "html application/xhtml+xml", "x a/b;c=d"};
    values[TYPES].items = types;
    values[TYPES].count = 4;
    ck_assert_int_eq(configure(), 0);
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
    temp_write(temp_path("mime"), "text/x-odd odd\ntext/x-wrong css md\nimage/x-odd iodd\n");
    types_load(temp_path("mime"));
    values[TYPES].items = types;
    values[TYPES].count = sizeof types / sizeof *types;
    values[CHARSET].text = "ISO-8859-1";
    values[DEFAULT_TYPE].text = "text/plain";
    ck_assert_int_eq(configure(), 0);
    is_type("a.css", "text/css; charset=ISO-8859-1");
    is_type("a.odd", "text/x-odd; charset=ISO-8859-1");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        is_type(own[i], "text/x-own; charset=ISO-8859-1");
    is_type("a.iodd", "image/x-odd");
    is_type("a.png", "image/png");
    is_type("README", "text/plain; charset=ISO-8859-1");
    values[CHARSET].text = values[DEFAULT_TYPE].text = "";
    ck_assert_int_eq(configure(), 0);
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
    ck_assert_int_eq(configure(), -1);
    ck_assert_msg(strstr(fake_error, mistakes[_i].error) != NULL, "%s", fake_error);
}
END_TEST

UNIT_MAIN_AROUND("static-listing", temp_make, tear_down, ONCE(test_page), ONCE(test_empty_folder),
                 ONCE(test_one_of_each), ONCE(test_index_first), ONCE(test_missing_folder),
                 ONCE(test_unreadable_folder), ONCE(test_off),
                 ONCE(test_only_lists_are_for_the_pool), ONCE(test_head),
                 EACH(test_names, names), EACH(test_sizes, sizes), ONCE(test_no_time),
                 ONCE(test_json), EACH(test_accept, accepts), ONCE(test_limit), ONCE(test_links),
                 ONCE(test_dotfiles), ONCE(test_redirect_stays_here), ONCE(test_types),
                 ONCE(test_charset), EACH(test_mistakes, mistakes))
