/* The routes of a site: read while configuring, found by the path of a request.
 *
 * They are sorted by path, and each knows the next wider one: the longest other whose path its own
 * begins with. All routes whose path a request's path begins with stand before it in that order, and
 * the longest of them is the first that fits in the chain of wider ones from the route right before
 * it. So to find a route takes one binary search and a few steps, however many there are.
 *
 * Main thread while configuring, loop threads afterwards. The memory lives as long as the worker.
 */
#include "config.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "../word.h"
#include "reeve/protocol.h"
#include "settings.h"

/* ---------------------------------------------------------------- order ------------- */

/* The first eight bytes of a path, as a number: where those of two paths differ, they have the order
 * of the texts. */
static uint64_t key_of(const char *path, size_t length)
{
    if (length >= 8)
        return be64toh(word_load(path, 8));
    uint64_t key = 0;
    if (length < 4) {
        for (size_t i = 0; i < length; i++)
            key |= (uint64_t)(unsigned char)path[i] << (56 - 8 * i);
        return key;
    }
    /* What the second half repeats of the first is shifted out of it. */
    key = (uint64_t)be32toh((uint32_t)word_load(path + length - 4, 4)) << 8 * (8 - length);
    return (uint64_t)be32toh((uint32_t)word_load(path, 4)) << 32 | (uint32_t)key;
}

static int compare_path(const struct route *route, const char *path, size_t length)
{
    size_t common = route->length < length ? route->length : length;
    int order = common > 0 ? memcmp(route->path, path, common) : 0;
    return order != 0 ? order : (route->length > length) - (route->length < length);
}

/* By path; of the same one the exact route last. */
static int route_order(const void *a, const void *b)
{
    const struct route *left = a, *right = b;
    int order = compare_path(left, right->path, right->length);
    return order != 0 ? order : (int)left->exact - (int)right->exact;
}

static bool begins_with(const char *path, size_t length, const struct route *route)
{
    return length >= route->length && word_same(path, route->path, route->length);
}

/* ---------------------------------------------------------------- reading ----------- */

static int read_path(const reeve_section *section, struct route *route)
{
    route->path = route->prefix = reeve_conf_title(section);
    route->exact = route->prefix[0] == '=';
    if (route->exact)
        route->path += 1 + strspn(route->path + 1, " ");
    if (route->path[0] != '/')
        return reeve_conf_error(section, NULL, "route \"%s\" must begin with \"/\": write "
                                "\"%s/%s\"", route->prefix, route->exact ? "= " : "", route->path);
    route->length = strlen(route->path);
    while (!route->exact && route->length > 0 && route->path[route->length - 1] == '/')
        route->length--;
    route->key = key_of(route->path, route->length);
    return 0;
}

/* Address and password: what the route says, else what its site says. */
static int read_asking(const reeve_section *section, const struct site *site, struct route *route)
{
    if (guard_read(section, &route->guard) != 0)
        return -1;
    if (route->guard == NULL)
        route->guard = site->guard;
    return auth_read(section, site->auth, site->title, &route->auth);
}

/* If the handler crashes, the report names it. */
static void describe(const void *arg, reeve_hand *hand)
{
    const struct route *route = arg;
    hand->module = route->module;
    hand->site = route->site;
    hand->route = route->prefix;
}

static int configure_handler(struct route *route, const reeve_section *options)
{
    if (route->handler->configure == NULL)
        return 0;
    reeve_in_hand(describe, route);
    int result = route->handler->configure(options, route->path, &route->config);
    reeve_in_hand(NULL, NULL);
    return result;
}

static int read_route(const reeve_section *section, const struct site *site, struct route *route)
{
    route->site = site->title;
    if (read_path(section, route) != 0 || read_asking(section, site, route) != 0)
        return -1;
    route->priority = reeve_conf_bool(section, "priority");
    const reeve_section *options = NULL;
    route->handler = reeve_conf_handler(section, &options);
    if (route->handler == NULL) /* the core has said why */
        return -1;
    route->module = reeve_conf_name(options);
    if (configure_handler(route, options) != 0)
        return -1;
    if (reeve_conf_minor(options) >= 2) /* an older module's struct ends before it */
        route->receive = route->handler->receive;
    return 0;
}

static int sort_routes(const reeve_section *section, struct site *site)
{
    qsort(site->routes, site->count, sizeof *site->routes, route_order);
    for (size_t i = 1; i < site->count; i++) {
        struct route *route = &site->routes[i];
        if (route_order(route - 1, route) == 0)
            return reeve_conf_error(section, "route", "route \"%s\" stands twice in site \"%s\": "
                                    "remove one", route->prefix, site->title);
        route->wider = route - 1;
        while (route->wider != NULL && !begins_with(route->path, route->length, route->wider))
            route->wider = route->wider->wider;
    }
    return 0;
}

int routes_read(const reeve_section *section, struct site *site)
{
    size_t count = reeve_conf_count(section, "route");
    if (count == 0)
        return reeve_conf_error(section, NULL, "site \"%s\" has no route: add one, such as "
                                "route \"/\" { static { root = \"/srv/www\" } }", site->title);
    site->routes = calloc(count, sizeof *site->routes);
    if (site->routes == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    while (site->count < count) {
        const reeve_section *one = reeve_conf_section(section, "route", site->count);
        if (read_route(one, site, &site->routes[site->count++]) != 0)
            return -1;
    }
    return sort_routes(section, site);
}

void routes_free(struct site *site)
{
    for (size_t i = 0; i < site->count; i++) {
        if (site->routes[i].guard != site->guard)
            guard_free(site->routes[i].guard);
        if (site->routes[i].auth != site->auth)
            auth_free(site->routes[i].auth);
    }
    free(site->routes);
}

/* ---------------------------------------------------------------- finding ----------- */

static bool takes(const struct route *route, const char *path, size_t length)
{
    if (!begins_with(path, length, route))
        return false;
    return length == route->length || (!route->exact && path[route->length] == '/');
}

/* How many routes stand before or at this path. */
static size_t count_before(const struct site *site, const char *path, size_t length)
{
    const uint64_t key = key_of(path, length);
    size_t from = 0, to = site->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct route *route = &site->routes[middle];
        if (route->key != key ? route->key < key : compare_path(route, path, length) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct route *route_find(const struct site *site, const char *path, size_t length)
{
    size_t before = site == NULL ? 0 : site->count > 1 ? count_before(site, path, length) : site->count;
    const struct route *route = before > 0 ? &site->routes[before - 1] : NULL;
    while (route != NULL && !takes(route, path, length))
        route = route->wider;
    return route;
}
