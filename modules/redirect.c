/* redirect: sends clients to another place, as one of the routes' handlers.
 *
 * Where to is said by the configuration: host and first part of the path are never the client's, so
 * that nobody can make a link here that leads to where he likes. What is appended of a request is
 * encoded anew. Loop thread; a redirection belongs to the module, and lives until the worker exits.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "percent.h"
#include "reeve/http.h"

struct redirection {
    struct redirection *next;
    const char *to;
    bool open; /* the rest of the request goes behind it */
    int status;
};

static struct redirection *redirections;

/* ---------------------------------------------------------------- answering --------- */

/* "https://example.org/new/" and "/a b?x=1" become "https://example.org/new/a%20b?x=1". */
static char *location_of(const reeve_request *request, const char *to)
{
    const char *rest = reeve_rest(request), *query = reeve_query(request);
    rest += strspn(rest, "/"); /* "//host" would lead elsewhere */
    char *location = malloc(strlen(to) + (strlen(rest) + strlen(query)) * 3 + 2);
    if (location == NULL)
        return NULL;
    char *at = percent_put(stpcpy(location, to), rest, PERCENT_PATH);
    if (*query != '\0') {
        *at++ = '?';
        at = percent_put(at, query, PERCENT_PATH "?%"); /* it has not been decoded */
    }
    *at = '\0';
    return location;
}

static int redirect_handle(reeve_request *request, void *config)
{
    const struct redirection *redirection = config;
    char *location = redirection->open ? location_of(request, redirection->to) : NULL;
    if (redirection->open && location == NULL)
        return -1;
    int result = reeve_set_header(request, "Location",
                                  location != NULL ? location : redirection->to);
    free(location);
    return result == 0 ? reeve_reply_status(request, redirection->status) : -1;
}

/* ---------------------------------------------------------------- configuration ----- */

/* A path, or a URL with a host. "//host" would be one too, and is more often a mistake. */
static bool is_place(const char *to)
{
    if (to[0] == '/')
        return to[1] != '/';
    size_t scheme = strncmp(to, "https://", 8) == 0 ? 8 : strncmp(to, "http://", 7) == 0 ? 7 : 0;
    return scheme > 0 && strchr("/?#@:", to[scheme]) == NULL;
}

static int read_to(const reeve_section *section, struct redirection *redirection)
{
    const char *to = redirection->to = reeve_conf_string(section, "to");
    if (!is_place(to))
        return reeve_conf_error(section, "to", "\"%s\" is no place to send a client to: write a "
                                "path such as \"/new/\", or a URL such as "
                                "\"https://example.org/\"", to);
    for (const char *c = to; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\"<>\\^`{|}", *c) != NULL)
            return reeve_conf_error(section, "to", "\"%s\" has a character in it that no URL may "
                                    "hold: write it as %%XX", to);
    redirection->open = to[strlen(to) - 1] == '/' && strpbrk(to, "?#") == NULL;
    return 0;
}

static int redirect_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    struct redirection *redirection = calloc(1, sizeof *redirection);
    if (redirection == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    *config = redirection;
    redirection->next = redirections;
    redirections = redirection;
    redirection->status = atoi(reeve_conf_string(section, "status"));
    return read_to(section, redirection);
}

static void redirect_worker_exit(void)
{
    while (redirections != NULL) {
        struct redirection *redirection = redirections;
        redirections = redirection->next;
        free(redirection);
    }
}

static const reeve_option redirect_options[] = {
    {.name = "to", .type = REEVE_OPT_STRING,
     .help = "Where clients are sent: a path on the same host, or a URL. Needed. If it ends with "
             "\"/\", what follows the route's prefix and the query are appended: with route "
             "\"/old\" and to = \"https://example.org/new/\", /old/a?b leads to "
             "https://example.org/new/a?b. Else all are sent to that one place."},
    {.name = "status", .type = REEVE_OPT_ENUM, .fallback = "302", .choices = "301|302|303|307|308",
     .help = "301 and 308 are for good, and browsers keep them; 302, 303 and 307 are for now. With "
             "307 and 308 a client sends the same method and body again; 303 makes it a GET."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler redirect_handler = {
    .protocol = "http", .configure = redirect_configure, .handle = redirect_handle};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_HANDLER, .name = "redirect", .version = "1.0",
             .options = redirect_options, .handler = &redirect_handler,
             .worker_exit = redirect_worker_exit);
