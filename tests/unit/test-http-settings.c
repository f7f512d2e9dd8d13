/* The section http: what is refused, and which site and route take a request. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../modules/http/settings.h"
#include "fake-reeve.h"
#include "unit.h"

static int configured;

static int configure(const reeve_section *section, const char *route, void **config)
{
    configured++;
    *config = (void *)route;
    return section != NULL ? 0 : reeve_conf_error(section, NULL, "no section");
}

static int handle(reeve_request *request, void *config)
{
    (void)request, (void)config;
    return -1;
}

static const reeve_handler handler = {.configure = configure, .handle = handle};
static const reeve_section options;

#define ROUTE(path) {.title = path, .handler = &handler, .options = &options}
#define SECTIONS(list) .sections = list, .count = sizeof list / sizeof *list
#define ITEMS(list) .items = list, .count = sizeof list / sizeof *list

static const reeve_section routes[] = {
    ROUTE("/"), ROUTE("/hello"), ROUTE("/hello/deep/"), ROUTE("/a b"), ROUTE("/zzz"),
    ROUTE("= /hello/deep"), ROUTE("=/only"), ROUTE("= /only/"), ROUTE("/hello-x"),
    ROUTE("/hello/deep-x")};
static const reeve_section few[] = {ROUTE("/only")};
/* A site may name itself again. */
static const char *const names[] = {"WWW.Example.com", "example.com", "[::1]", "Named"};
static const struct fake_value with_names[] = {
    {.name = "names", ITEMS(names)}, {.name = "route", SECTIONS(routes)}, {0}};
static const struct fake_value plain[] = {{.name = "route", SECTIONS(few)}, {0}};

static int read_sites(const reeve_section *sites, size_t count)
{
    static struct fake_value values[2];
    values[0] = (struct fake_value){.name = "site", .sections = sites, .count = count};
    reeve_section section = {.values = values};
    settings_free();
    return settings_read(&section);
}

static const struct site *find(const char *host)
{
    return site_find(host, strlen(host));
}

START_TEST(test_sites)
{
    static const reeve_section sites[] = {{.title = "first", .values = plain},
                                          {.title = "named", .values = with_names},
                                          {.title = "default", .values = plain}};
    ck_assert_int_eq(read_sites(sites, 3), 0);
    ck_assert_str_eq(find("first")->title, "first");
    ck_assert_str_eq(find("named")->title, "named");
    ck_assert_str_eq(find("example.com")->title, "named");
    ck_assert_str_eq(find("EXAMPLE.com")->title, "named");
    ck_assert_str_eq(find("www.example.COM")->title, "named");
    ck_assert_str_eq(find("[::1]")->title, "named");
    ck_assert_str_eq(find("example.co")->title, "default");
    ck_assert_str_eq(find("example.com.x")->title, "default");
    ck_assert_str_eq(find("x")->title, "default");
    ck_assert_str_eq(find("")->title, "default");
}
END_TEST

START_TEST(test_first_site_is_the_fallback)
{
    static const reeve_section sites[] = {{.title = "one", .values = plain},
                                          {.title = "two", .values = plain}};
    ck_assert_int_eq(read_sites(sites, 2), 0);
    ck_assert_str_eq(find("two")->title, "two");
    ck_assert_str_eq(find("three")->title, "one");
    ck_assert_int_eq(read_sites(NULL, 0), 0);
    ck_assert_ptr_null(find("one"));
    ck_assert_ptr_null(route_find(NULL, "/", 1));
}
END_TEST

START_TEST(test_wildcards)
{
    static const char *const stars[] = {"*.Example.org.", "*.b.a.example.org", "www.example.org"};
    static const struct fake_value with_stars[] = {
        {.name = "names", ITEMS(stars)}, {.name = "route", SECTIONS(few)}, {0}};
    static const reeve_section sites[] = {{.title = "default", .values = plain},
                                          {.title = "*.a.example.org", .values = plain},
                                          {.title = "stars", .values = with_stars},
                                          {.title = "x.a.example.org", .values = plain}};
    ck_assert_int_eq(read_sites(sites, 4), 0);
    ck_assert_str_eq(find("www.example.org")->title, "stars");
    ck_assert_str_eq(find("x.example.org")->title, "stars");
    ck_assert_str_eq(find("Y.X.Example.ORG")->title, "stars");
    ck_assert_str_eq(find("a.example.org")->title, "stars");
    ck_assert_str_eq(find("x.a.example.org")->title, "x.a.example.org");
    ck_assert_str_eq(find("b.a.example.org")->title, "*.a.example.org");
    ck_assert_str_eq(find("y.x.a.example.org")->title, "*.a.example.org");
    ck_assert_str_eq(find("c.b.a.example.org")->title, "stars");
    ck_assert_str_eq(find("example.org")->title, "default");
    ck_assert_str_eq(find(".example.org")->title, "default");
    ck_assert_str_eq(find("xexample.org")->title, "default");
    ck_assert_str_eq(find("example.org.x")->title, "default");
}
END_TEST

static const struct {
    const char *path, *route;
} choices[] = {
    {"/", "/"},
    {"/x", "/"},
    {"/hell", "/"},
    {"/helloo", "/"},
    {"/hello", "/hello"},
    {"/hello/", "/hello"},
    {"/hello/x", "/hello"},
    {"/hello/deepest", "/hello"},
    {"/hello/deep", "= /hello/deep"},
    {"/hello-x/y", "/hello-x"},
    {"/hello-y", "/"},
    {"/hello/deep-x", "/hello/deep-x"},
    {"/hello/deep-y", "/hello"},
    {"/only", "=/only"},
    {"/only/", "= /only/"},
    {"/only/x", "/"},
    {"/onl", "/"},
    {"/hello/deep/", "/hello/deep/"},
    {"/hello/deep/x", "/hello/deep/"},
    {"/a b/c", "/a b"},
    {"/HELLO", "/"},
};

START_TEST(test_routes)
{
    static const reeve_section sites[] = {{.title = "default", .values = with_names}};
    configured = 0;
    ck_assert_int_eq(read_sites(sites, 1), 0);
    ck_assert_int_eq(configured, 10);
    const struct route *route =
        route_find(settings.fallback, choices[_i].path, strlen(choices[_i].path));
    ck_assert_ptr_nonnull(route);
    ck_assert_str_eq(route->prefix, choices[_i].route);
    const char *path = strchr(choices[_i].route, '/');
    ck_assert_str_eq(route->config, path);
}
END_TEST

/* The same as by looking at each of them, for whatever routes. */
static const struct route *look(const struct site *site, const char *path)
{
    const struct route *best = NULL;
    for (size_t i = 0; i < site->count; i++) {
        const struct route *route = &site->routes[i];
        bool all = strlen(path) == route->length && strncmp(path, route->path, route->length) == 0;
        bool below = strlen(path) > route->length && path[route->length] == '/' &&
                     strncmp(path, route->path, route->length) == 0;
        bool better = best == NULL || (all && route->exact) ||
                      (route->length > best->length && !best->exact);
        if ((all || (below && !route->exact)) && better)
            best = route;
    }
    return best;
}

/* Some begin alike, as far as routes.c compares numbers made of them, and about that far. */
static void make_path(char *path, unsigned *seed)
{
    static const char letters[] = "/a-/b/", alike[] = "/aaaaaa/a";
    size_t front = rand_r(seed) % 2 == 0 ? 6 + (unsigned)rand_r(seed) % 4 : 0;
    size_t length = front + 1 + (unsigned)rand_r(seed) % 7;
    path[0] = '/';
    memcpy(path, alike, front);
    for (size_t i = front > 0 ? front : 1; i < length; i++) {
        do
            path[i] = letters[(unsigned)rand_r(seed) % (sizeof letters - 1)];
        while (path[i] == '/' && path[i - 1] == '/');
    }
    path[length] = '\0';
}

START_TEST(test_found_as_if_looked_for)
{
    static char titles[40][24];
    static reeve_section sections[40];
    unsigned seed = (unsigned)_i + 1, found = 0;
    size_t count = 0;
    for (unsigned tries = 0; tries < 200 && count < 40; tries++) {
        bool exact = rand_r(&seed) % 4 == 0, again = false;
        strcpy(titles[count], exact ? "= " : "");
        make_path(titles[count] + strlen(titles[count]), &seed);
        size_t length = strlen(titles[count]);
        if (!exact && length > 1 && titles[count][length - 1] == '/')
            titles[count][length - 1] = '\0';
        for (size_t i = 0; i < count; i++)
            again |= strcmp(titles[i], titles[count]) == 0;
        if (!again) {
            sections[count] = (reeve_section)ROUTE(titles[count]);
            count++;
        }
    }
    const struct fake_value values[] = {
        {.name = "route", .sections = sections, .count = count}, {0}};
    const reeve_section site = {.title = "default", .values = values};
    ck_assert_int_eq(read_sites(&site, 1), 0);
    for (int i = 0; i < 5000; i++) {
        char path[24];
        make_path(path, &seed);
        const struct route *route = route_find(settings.fallback, path, strlen(path));
        ck_assert_msg(route == look(settings.fallback, path), "%s is given to %s", path,
                      route != NULL ? route->prefix : "nobody");
        found += route != NULL;
    }
    ck_assert_uint_gt(found, 100);
}
END_TEST

START_TEST(test_no_route)
{
    static const reeve_section sites[] = {{.title = "default", .values = plain}};
    ck_assert_int_eq(read_sites(sites, 1), 0);
    ck_assert_ptr_null(route_find(settings.fallback, "/", 1));
    ck_assert_ptr_null(route_find(settings.fallback, "/onl", 4));
    ck_assert_ptr_nonnull(route_find(settings.fallback, "/only", 5));
}
END_TEST

static void refused(const reeve_section *sites, size_t count, const char *text)
{
    fake_error[0] = '\0';
    ck_assert_int_eq(read_sites(sites, count), -1);
    ck_assert_msg(strstr(fake_error, text) != NULL, "%s", fake_error);
}

START_TEST(test_refusals)
{
    static const reeve_section relative[] = {ROUTE("hello")};
    static const struct fake_value with_relative[] = {{.name = "route", SECTIONS(relative)}, {0}};
    static const reeve_section twice[] = {ROUTE("/a"), ROUTE("/b"), ROUTE("/a/")};
    static const struct fake_value with_twice[] = {{.name = "route", SECTIONS(twice)}, {0}};
    static const reeve_section broken[] = {{.title = "/x", .handler = &handler}};
    static const struct fake_value with_broken[] = {{.name = "route", SECTIONS(broken)}, {0}};
    static const struct fake_value none[] = {{0}};

    refused(&(reeve_section){.title = "s", .values = with_relative}, 1, "write \"/hello\"");
    refused(&(reeve_section){.title = "s", .values = with_twice}, 1, "stands twice in site \"s\"");
    refused(&(reeve_section){.title = "s", .values = with_broken}, 1, "no section");
    refused(&(reeve_section){.title = "s", .values = none}, 1, "has no route");
    refused(&(reeve_section){.title = "http://s", .values = plain}, 1, "not a host name");
    refused(&(reeve_section){.title = "s:80", .values = plain}, 1, "not a host name");
    refused(&(reeve_section){.title = "[::1]:80", .values = plain}, 1, "not a host name");
    refused(&(reeve_section){.title = "", .values = plain}, 1, "not a host name");
    static const reeve_section same[] = {{.title = "named", .values = with_names},
                                         {.title = "Example.COM.", .values = plain}};
    refused(same, 2, "\"example.com\" is given to site");
    static const reeve_section stars[] = {{.title = "*.a", .values = plain},
                                          {.title = "*.A", .values = plain}};
    refused(stars, 2, "\"*.a\" is given to site");
    static const char *const names_of_none[] = {"*", "*.", "*a.b", "a.*", "*.*.b", "a b"};
    for (size_t i = 0; i < sizeof names_of_none / sizeof *names_of_none; i++)
        refused(&(reeve_section){.title = names_of_none[i], .values = plain}, 1, "not a host name");
    char longest[256];
    memset(longest, 'a', 255);
    longest[254] = longest[255] = '\0';
    refused(&(reeve_section){.title = longest, .values = plain}, 1, "not a host name");
    longest[253] = '\0';
    ck_assert_int_eq(read_sites(&(reeve_section){.title = longest, .values = plain}, 1), 0);

    static const reeve_section relative_exact[] = {ROUTE("= hello")};
    static const struct fake_value with_exact[] = {
        {.name = "route", SECTIONS(relative_exact)}, {0}};
    refused(&(reeve_section){.title = "s", .values = with_exact}, 1, "write \"= /hello\"");
    static const reeve_section twice_exact[] = {ROUTE("= /a"), ROUTE("/a"), ROUTE("=/a")};
    static const struct fake_value with_twice_exact[] = {
        {.name = "route", SECTIONS(twice_exact)}, {0}};
    refused(&(reeve_section){.title = "s", .values = with_twice_exact}, 1, "stands twice");
}
END_TEST

/* What a site says of its access log, and what it leaves to the section http. */
START_TEST(test_access_logs)
{
    static const struct fake_value same[] = {
        {.name = "access_log", .text = "inherit"}, {.name = "route", SECTIONS(few)}, {0}};
    static const struct fake_value json[] = {
        {.name = "access_log", .text = "inherit"}, {.name = "access_format", .text = "json"},
        {.name = "route", SECTIONS(few)}, {0}};
    static const struct fake_value off[] = {
        {.name = "access_log", .text = ""}, {.name = "access_format", .text = "json"},
        {.name = "route", SECTIONS(few)}, {0}};
    static const reeve_section sites[] = {{.title = "same", .values = same},
                                          {.title = "json", .values = json},
                                          {.title = "off", .values = off}};
    static const struct fake_value values[] = {
        {.name = "access_log", .text = "/log"}, {.name = "access_format", .text = "combined"},
        {.name = "site", .sections = sites, .count = 3}, {0}};
    reeve_section section = {.values = values};
    settings_free();
    ck_assert_int_eq(settings_read(&section), 0);
    ck_assert_ptr_nonnull(settings.access.file);
    ck_assert_int_eq(settings.access.format, ACCESS_COMBINED);
    ck_assert_ptr_eq(settings.sites[0].access.file, settings.access.file);
    ck_assert_int_eq(settings.sites[0].access.format, ACCESS_COMBINED);
    ck_assert_ptr_eq(settings.sites[1].access.file, settings.access.file);
    ck_assert_int_eq(settings.sites[1].access.format, ACCESS_JSON);
    ck_assert_ptr_null(settings.sites[2].access.file);
    ck_assert(settings.timed);
    settings_free();
    section.values = (const struct fake_value[]){
        {.name = "access_log", .text = "/log"}, {.name = "site", .sections = &sites[2], .count = 1},
        {0}};
    ck_assert_int_eq(settings_read(&section), 0);
    ck_assert(!settings.timed); /* a log that is off asks for no clock */
}
END_TEST

static int read_id(const char *name)
{
    const struct fake_value values[] = {{.name = "request_id", .text = name}, {0}};
    reeve_section section = {.values = values};
    settings_free();
    return settings_read(&section);
}

START_TEST(test_request_id)
{
    static const char *const bad[] = {
        "X Id", "X-Id:", "X-Id\r\n", "\xc3\xa4", "Content-length", "host", "Date",
        "x234567890123456789012345678901234567890123456789012345678901234x"};
    ck_assert_int_eq(read_id("X-Request-ID"), 0);
    ck_assert_str_eq(settings.request_id, "X-Request-ID");
    ck_assert_int_eq(read_id(""), 0);
    ck_assert_ptr_null(settings.request_id);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(read_id(bad[i]) == -1, "%s", bad[i]);
        ck_assert_msg(strncmp(fake_error, "request_id: ", 12) == 0, "%s", fake_error);
    }
}
END_TEST

START_TEST(test_access_log_refused)
{
    static const struct fake_value values[] = {{.name = "access_log", .text = "/missing/log"}, {0}};
    reeve_section section = {.values = values};
    settings_free();
    ck_assert_int_eq(settings_read(&section), -1);
    ck_assert_ptr_nonnull(strstr(fake_error, "cannot log to \"/missing/log\": no such folder"));
}
END_TEST

UNIT_MAIN_AROUND("http-settings", NULL, settings_free, ONCE(test_sites),
                 ONCE(test_first_site_is_the_fallback), EACH(test_routes, choices),
                 ONCE(test_wildcards), TIMES(test_found_as_if_looked_for, 20),
                 ONCE(test_no_route), ONCE(test_refusals), ONCE(test_access_logs),
                 ONCE(test_request_id), ONCE(test_access_log_refused))
