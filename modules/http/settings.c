/* The section `http`: read, checked and sorted at start-up; sites and routes found in it later.
 *
 * Main thread while configuring; every loop thread reads it afterwards. The memory lives as long as
 * the worker; settings_free() is for worker_exit.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "settings.h"

struct settings settings;

static const reeve_option route_options[] = {
    {.name = "handler", .type = REEVE_OPT_HANDLER, .choices = "http",
     .help = "The section of the handler that answers, with its own options."},
    {.type = REEVE_OPT_END},
};

static const reeve_option site_options[] = {
    {.name = "names", .type = REEVE_OPT_LIST,
     .help = "Further host names of this site. Its title is one already."},
    {.name = "access_log", .type = REEVE_OPT_PATH, .fallback = "inherit",
     .choices = "stderr|stdout|inherit",
     .help = "Where requests for this site are logged: a path, \"stderr\", \"stdout\", \"\" for "
             "nowhere, or \"inherit\" for where access_log of the section http says."},
    {.name = "access_format", .type = REEVE_OPT_ENUM, .choices = "combined|json",
     .help = "How requests for this site are logged. If not given, as the section http says."},
    {.name = "route", .type = REEVE_OPT_SECTIONS, .options = route_options,
     .help = "Which handler answers below a path prefix. The longest prefix that ends where a path "
             "segment ends is taken; \"/\" takes all."},
    {.type = REEVE_OPT_END},
};

const reeve_option settings_options[] = {
    {.name = "line_limit", .type = REEVE_OPT_SIZE, .fallback = "8KiB", .min = 64, .max = 65536,
     .help = "Longest request line. A longer one is answered with 414."},
    {.name = "header_limit", .type = REEVE_OPT_SIZE, .fallback = "16KiB", .min = 128, .max = 131072,
     .help = "Most bytes in all header fields of a request. More is answered with 431."},
    {.name = "header_count", .type = REEVE_OPT_INT, .fallback = "100", .min = 1,
     .max = PARSE_FIELDS_MAX,
     .help = "Most header fields of a request. More is answered with 431."},
    {.name = "body_limit", .type = REEVE_OPT_SIZE, .fallback = "1MiB", .max = INT64_MAX / 4,
     .help = "Longest request body. It is held in memory; a longer one is answered with 413."},
    {.name = "keepalive_timeout", .type = REEVE_OPT_DURATION, .fallback = "15s", .min = 1,
     .max = 86400000, .help = "How long a connection may wait for a request to begin."},
    {.name = "header_timeout", .type = REEVE_OPT_DURATION, .fallback = "20s", .min = 1,
     .max = 86400000,
     .help = "How long a request may take from its first byte to the end of its header. Then it is "
             "answered with 408."},
    {.name = "body_timeout", .type = REEVE_OPT_DURATION, .fallback = "20s", .min = 1,
     .max = 86400000,
     .help = "How long each further 16 KiB of a request body, or its end, may take. Then it is "
             "answered with 408."},
    {.name = "server_header", .type = REEVE_OPT_BOOL, .fallback = "true",
     .help = "Whether answers name the program in the field Server."},
    {.name = "access_log", .type = REEVE_OPT_PATH, .choices = "stderr|stdout",
     .help = "Where each request is logged: a path, \"stderr\", \"stdout\", or \"\" for nowhere. A "
             "site may say otherwise; what is no request for a site is always logged here."},
    {.name = "access_format", .type = REEVE_OPT_ENUM, .fallback = "combined",
     .choices = "combined|json",
     .help = "How requests are logged. \"combined\": the line that Apache and nginx write by that "
             "name. \"json\": an object a line, with time (when the answer was ready, UTC), "
             "request_id, peer, site, method, target, protocol, status, bytes (of the body), "
             "seconds (from when the first byte of the request was seen until all of the answer "
             "was queued for sending), referer, user_agent and user; null where there is none. "
             "What was no request has its first line as \"line\"."},
    {.name = "request_id", .type = REEVE_OPT_STRING,
     .help = "A header field such as \"X-Request-ID\" in which each answer bears the id of its "
             "request. An id that the client sends in it is taken over if it is a token of at most "
             "128 characters, so that one id can be followed through several servers; else it is "
             "32 hexadecimal digits, never the same twice. If empty, there is no such field."},
    {.name = "site", .type = REEVE_OPT_SECTIONS, .options = site_options,
     .help = "What is served for a host name. The title is that name; the site \"default\", or the "
             "first if none is so called, also takes every host that no site names."},
    {.type = REEVE_OPT_END},
};

/* ---------------------------------------------------------------- reading ----------- */

static int read_limits(const reeve_section *section)
{
    settings.limits.line = (size_t)reeve_conf_int(section, "line_limit");
    settings.limits.header = (size_t)reeve_conf_int(section, "header_limit");
    settings.limits.count = (unsigned)reeve_conf_int(section, "header_count");
    settings.body_limit = (uint64_t)reeve_conf_int(section, "body_limit");
    settings.keepalive_timeout = reeve_conf_int(section, "keepalive_timeout");
    settings.header_timeout = reeve_conf_int(section, "header_timeout");
    settings.body_timeout = reeve_conf_int(section, "body_timeout");
    settings.server_header = reeve_conf_bool(section, "server_header");

    static const struct access off;
    return access_read(section, &off, &settings.access) != 0 || access_read_id(section) != 0 ? -1
                                                                                             : 0;
}

static int longest_first(const void *a, const void *b)
{
    const struct route *left = a, *right = b;
    if (left->length != right->length)
        return left->length < right->length ? 1 : -1;
    return memcmp(left->prefix, right->prefix, left->length);
}

static int read_route(const reeve_section *section, const char *site, struct route *route)
{
    route->site = site;
    route->prefix = reeve_conf_title(section);
    if (route->prefix[0] != '/')
        return reeve_conf_error(section, NULL, "route \"%s\" must begin with \"/\": write \"/%s\"",
                                route->prefix, route->prefix);
    route->length = strlen(route->prefix);
    while (route->length > 0 && route->prefix[route->length - 1] == '/')
        route->length--;
    const reeve_section *options = NULL;
    route->handler = reeve_conf_handler(section, &options);
    if (route->handler == NULL) /* the core has said why */
        return -1;
    route->module = reeve_conf_name(options);
    if (route->handler->configure == NULL)
        return 0;
    return route->handler->configure(options, route->prefix, &route->config);
}

static int read_routes(const reeve_section *section, struct site *site)
{
    size_t count = reeve_conf_count(section, "route");
    if (count == 0)
        return reeve_conf_error(section, NULL, "site \"%s\" has no route: add one, such as "
                                "route \"/\" { static { root = \"/srv/www\" } }", site->title);
    site->routes = calloc(count, sizeof *site->routes);
    if (site->routes == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    for (; site->count < count; site->count++)
        if (read_route(reeve_conf_section(section, "route", site->count), site->title,
                       &site->routes[site->count]) != 0)
            return -1;
    qsort(site->routes, count, sizeof *site->routes, longest_first);
    for (size_t i = 1; i < count; i++)
        if (longest_first(&site->routes[i - 1], &site->routes[i]) == 0)
            return reeve_conf_error(section, "route", "route \"%s\" stands twice in site \"%s\": "
                                    "remove one", site->routes[i].prefix, site->title);
    return 0;
}

static int name_order(const void *a, const void *b)
{
    const struct site_name *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static int add_name(const reeve_section *section, const struct site *site, const char *text)
{
    char *name = strdup(text);
    if (name == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    size_t length = strlen(name);
    if (length > 1 && name[length - 1] == '.')
        name[--length] = '\0';
    settings.names[settings.name_count++] = (struct site_name){name, site};
    bool bracketed = length > 1 && name[0] == '[' && name[length - 1] == ']'; /* IPv6 */
    if (length == 0 || strpbrk(name, bracketed ? "/ \t@" : "/ \t@:[]") != NULL)
        return reeve_conf_error(section, "names", "\"%s\" is not a host name: write it without "
                                "scheme, port and path", text);
    return 0;
}

static int read_names(const reeve_section *section, const struct site *site)
{
    if (add_name(section, site, site->title) != 0)
        return -1;
    for (size_t i = 0; i < reeve_conf_count(section, "names"); i++)
        if (add_name(section, site, reeve_conf_item(section, "names", i)) != 0)
            return -1;
    return 0;
}

/* How many names all sites have together. */
static size_t count_names(const reeve_section *section)
{
    size_t names = settings.site_count;
    for (size_t i = 0; i < settings.site_count; i++)
        names += reeve_conf_count(reeve_conf_section(section, "site", i), "names");
    return names;
}

static int check_names(const reeve_section *section)
{
    qsort(settings.names, settings.name_count, sizeof *settings.names, name_order);
    for (size_t i = 1; i < settings.name_count; i++) {
        const struct site_name *left = &settings.names[i - 1], *right = &settings.names[i];
        if (name_order(left, right) == 0 && left->site != right->site)
            return reeve_conf_error(section, "site", "the host name \"%s\" is given to site \"%s\" "
                                    "and to site \"%s\": remove one", left->name,
                                    left->site->title, right->site->title);
    }
    return 0;
}

static int read_sites(const reeve_section *section)
{
    settings.site_count = reeve_conf_count(section, "site");
    if (settings.site_count == 0)
        return 0;
    settings.sites = calloc(settings.site_count, sizeof *settings.sites);
    settings.names = calloc(count_names(section), sizeof *settings.names);
    if (settings.sites == NULL || settings.names == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    settings.fallback = &settings.sites[0];
    for (size_t i = 0; i < settings.site_count; i++) {
        const reeve_section *one = reeve_conf_section(section, "site", i);
        struct site *site = &settings.sites[i];
        site->title = reeve_conf_title(one);
        if (strcmp(site->title, "default") == 0)
            settings.fallback = site;
        if (access_read(one, &settings.access, &site->access) != 0 ||
            read_names(one, site) != 0 || read_routes(one, site) != 0)
            return -1;
    }
    return check_names(section);
}

int settings_read(const reeve_section *section)
{
    return read_limits(section) != 0 || read_sites(section) != 0 ? -1 : 0;
}

void settings_free(void)
{
    for (size_t i = 0; settings.sites != NULL && i < settings.site_count; i++)
        free(settings.sites[i].routes);
    for (size_t i = 0; i < settings.name_count; i++)
        free((char *)settings.names[i].name);
    free(settings.sites);
    free(settings.names);
    memset(&settings, 0, sizeof settings);
}

/* ---------------------------------------------------------------- finding ----------- */

struct wanted {
    const char *host;
    size_t length;
};

static int compare_host(const void *key, const void *element)
{
    const struct wanted *wanted = key;
    const struct site_name *name = element;
    int order = strncasecmp(wanted->host, name->name, wanted->length);
    if (order != 0)
        return order;
    return name->name[wanted->length] == '\0' ? 0 : -1;
}

const struct site *site_find(const char *host, size_t length)
{
    if (settings.site_count <= 1 || length == 0)
        return settings.fallback;
    struct wanted wanted = {host, length};
    const struct site_name *found = bsearch(&wanted, settings.names, settings.name_count,
                                            sizeof *settings.names, compare_host);
    return found != NULL ? found->site : settings.fallback;
}

const struct route *route_find(const struct site *site, const char *path, size_t length)
{
    for (size_t i = 0; site != NULL && i < site->count; i++) {
        const struct route *route = &site->routes[i];
        if (length >= route->length && memcmp(path, route->prefix, route->length) == 0 &&
            (length == route->length || path[route->length] == '/'))
            return route;
    }
    return NULL;
}
