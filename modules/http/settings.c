/* The section `http`: its options, and what is not of one site. See sites.c and routes.c.
 *
 * Main thread while configuring; every loop thread reads it afterwards. The memory lives as long as
 * the worker; settings_free() is for worker_exit.
 */
#include "config.h"

#include <string.h>

#include "settings.h"
#include "users.h"

struct settings settings;

/* Who may ask: what a route says replaces what its site says. */
#define ASKING_OPTIONS                                                                             \
    {.name = "allow", .type = REEVE_OPT_LIST,                                                      \
     .help = "Blocks of client addresses that are let in, such as \"192.0.2.0/24\", "              \
             "\"2001:db8::/32\", an address, \"unix\" or \"all\". The narrowest block of allow "   \
             "and deny that covers the client decides; everybody else is let in unless there is "  \
             "only allow. Who is not let in is answered with 403. A route with allow or deny of "  \
             "its own does not look at those of its site."},                                       \
    {.name = "deny", .type = REEVE_OPT_LIST,                                                       \
     .help = "Blocks of client addresses that are kept out; see allow. Where both are given, "     \
             "\"all\" must stand in one of them."},                                                \
    {.name = "auth_file", .type = REEVE_OPT_PATH, .choices = "off",                                \
     .help = "Asks clients for a user and a password (Basic authentication) of this htpasswd "     \
             "file, whose hashes must be such as crypt(3) knows: make it with \"htpasswd -B\". "   \
             "The file is read when a worker starts, with the privileges of the start; a reload "  \
             "takes up its changes. \"off\" in a route: nobody is asked, whatever the site says. " \
             "Without TLS the password travels in the clear."},                                    \
    {.name = "auth_realm", .type = REEVE_OPT_STRING,                                               \
     .help = "What a browser shows when it asks for the password. Default: the realm of the "      \
             "site, or its name."}

static const reeve_option route_options[] = {
    ASKING_OPTIONS,
    {.name = "priority", .type = REEVE_OPT_BOOL, .fallback = "off",
     .help = "Requests of this route go to the pool before all others and are not refused for "
             "overload: for what an orchestrator asks to see whether the server is well. A handler "
             "that needs no pool never waits for it."},
    {.name = "handler", .type = REEVE_OPT_HANDLER, .choices = "http",
     .help = "The section of the handler that answers, with its own options."},
    {.type = REEVE_OPT_END},
};

static const reeve_option site_options[] = {
    {.name = "names", .type = REEVE_OPT_LIST,
     .help = "Further host names of this site. Its title is one already. \"*.example.org\" stands "
             "for every name below example.org, with one label more or several, but not for "
             "example.org. A name written in full comes before a wildcard, a longer wildcard "
             "before a shorter one."},
    {.name = "error_page", .type = REEVE_OPT_LIST,
     .help = "Pages of your own for errors, each as a status and a file with its whole path: "
             "{ \"404 /srv/www/missing.html\" }. They are read when a worker starts, and a reload "
             "takes up their changes; their type follows from their name: .html, .txt or .json."},
    ASKING_OPTIONS,
    {.name = "access_log", .type = REEVE_OPT_PATH, .fallback = "inherit",
     .choices = "stderr|stdout|inherit",
     .help = "Where requests for this site are logged: a path, \"stderr\", \"stdout\", \"\" for "
             "nowhere, or \"inherit\" for where access_log of the section http says."},
    {.name = "access_format", .type = REEVE_OPT_ENUM, .choices = "combined|json",
     .help = "How requests for this site are logged. If not given, as the section http says."},
    {.name = "route", .type = REEVE_OPT_SECTIONS, .options = route_options,
     .help = "Which handler answers below a path prefix. The longest prefix that ends where a path "
             "segment ends is taken; \"/\" takes all. \"= /x\" takes the path /x alone and comes "
             "before any prefix."},
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
     .help = "Longest request body. It is held in memory; a longer one is answered with 413. A "
             "handler that takes a body piece by piece sets the limit itself."},
    {.name = "keepalive_timeout", .type = REEVE_OPT_DURATION, .fallback = "15s", .min = 1,
     .max = 86400000, .help = "How long a connection may wait for a request to begin."},
    {.name = "keepalive_requests", .type = REEVE_OPT_INT, .fallback = "10000", .max = INT32_MAX,
     .help = "Most requests on one connection; the last one's answer says that it closes. So "
             "nobody keeps a connection for ever, which counts where each takes a thread or a "
             "process. 0: no limit."},
    {.name = "header_timeout", .type = REEVE_OPT_DURATION, .fallback = "20s", .min = 1,
     .max = 86400000,
     .help = "How long a request may take from its first byte to the end of its header. Then it is "
             "answered with 408."},
    {.name = "body_timeout", .type = REEVE_OPT_DURATION, .fallback = "20s", .min = 1,
     .max = 86400000,
     .help = "How long a request body may take, see body_rate. Then it is answered with 408."},
    {.name = "body_rate", .type = REEVE_OPT_SIZE, .fallback = "512", .max = 1048576,
     .help = "The least rate of a request body, in bytes a second: a client has body_timeout, and "
             "a second more for each body_rate bytes that have come, though never more than "
             "body_timeout at once. The time that a handler takes is not the client's. 0: no least "
             "rate; body_timeout is then the longest pause."},
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
             "seconds (from when the first byte of the request was seen until the answer was "
             "queued for sending; a large one, until most of it was sent), referer, user_agent and "
             "user; null where there is none. What was no request has its first line as \"line\". "
             "A request that is cut short, since its connection has ended, has \"interrupted\": "
             "true. In both forms its status is that of its answer, or 499 if there was none yet, "
             "and its bytes are those that were sent. A connection that ends before the head of a "
             "request is complete leaves no line."},
    {.name = "auth_limit", .type = REEVE_OPT_INT, .fallback = "32", .min = 1, .max = 10000,
     .help = "Most passwords that a worker checks at once; see auth_file. Each check takes tens of "
             "milliseconds by design, though only once for a password that is right. Further ones "
             "are answered with 503, so that wrong passwords cannot take all the time there is."},
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
    settings.body_rate = (uint64_t)reeve_conf_int(section, "body_rate");
    settings.keepalive_requests = (unsigned)reeve_conf_int(section, "keepalive_requests");
    settings.server_header = reeve_conf_bool(section, "server_header");
    settings.auth_limit = (unsigned)reeve_conf_int(section, "auth_limit");

    static const struct access off;
    return access_read(section, &off, &settings.access) != 0 || access_read_id(section) != 0 ? -1
                                                                                             : 0;
}

/* Options of the section http itself that no site makes use of. */
static void note_idle(const reeve_section *section)
{
    bool logs = settings.access.file != NULL, asks = false;
    for (size_t i = 0; i < settings.site_count; i++) {
        const struct site *site = &settings.sites[i];
        logs = logs || site->access.file != NULL;
        asks = asks || site->auth != NULL;
        for (size_t j = 0; j < site->count; j++)
            asks = asks || site->routes[j].auth != NULL;
    }
    if (!logs)
        reeve_conf_idle(section, "access_format", "an access_log");
    if (!asks)
        reeve_conf_idle(section, "auth_limit", "an auth_file of a site or route");
}

int settings_read(const reeve_section *section)
{
    if (read_limits(section) != 0 || sites_read(section) != 0)
        return -1;
    note_idle(section);
    return 0;
}

void settings_free(void)
{
    sites_free();
    users_free_all();
    memset(&settings, 0, sizeof settings);
}
