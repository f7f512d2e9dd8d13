/* The routes of a site: read while configuring, found by the path of a request.
 *
 * They are sorted by path, and each knows the next wider one: the longest other whose path its own
 * begins with. All routes whose path a request's path begins with stand before it in that order,
 * and the longest of them is the first that fits in the chain of wider ones from the route right
 * before it. So to find a route takes one binary search and a few steps, however many there are.
 * Nearly always the first eight bytes of the paths decide it; where they are those of a longer
 * route, all bytes do.
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

#define KEY 8

/* The first eight bytes of a path, as a number: where those of two paths differ, they have the
 * order of the texts. */
static inline uint64_t key_of(const char *path, size_t length)
{
    if (length >= KEY)
        return be64toh(word_load(path, KEY));
    uint64_t key = 0;
    if (length < 4) {
        for (size_t i = 0; i < length; i++)
            key |= (uint64_t)(unsigned char)path[i] << (56 - 8 * i);
        return key;
    }
    /* What the second half repeats of the first is shifted out of it. */
    key = (uint64_t)be32toh((uint32_t)word_load(path + length - 4, 4)) << 8 * (KEY - length);
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

/* `key` is that of the path. A path holds no NUL, so a shorter one differs in what is masked. */
static inline bool begins_with(const char *path, size_t length, uint64_t key,
                               const struct route *route)
{
    if (((key ^ route->key) & route->mask) != 0)
        return false;
    return route->length <= KEY ||
           (length >= route->length &&
            word_same(path + KEY, route->path + KEY, route->length - KEY));
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
    if (route->length > 0)
        route->mask = UINT64_MAX << 8 * (KEY - (route->length < KEY ? route->length : KEY));
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
    reeve_in_hand_at(describe, route, &route->place);
    int result = route->handler->configure(options, route->path, &route->config);
    reeve_in_hand_at(NULL, NULL, NULL);
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
    route->place = (reeve_place){route->module, route->prefix};
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
        while (route->wider != NULL &&
               !begins_with(route->path, route->length, route->key, route->wider))
            route->wider = route->wider->wider;
    }
    for (size_t i = 0; i < site->count; i++)
        site->keys[i] = site->routes[i].key;
    return 0;
}

int routes_read(const reeve_section *section, struct site *site)
{
    size_t count = reeve_conf_count(section, "route");
    if (count == 0)
        return reeve_conf_error(section, NULL, "site \"%s\" has no route: add one, such as "
                                "route \"/\" { static { root = \"/srv/www\" } }", site->title);
    site->routes = calloc(count, sizeof *site->routes);
    site->keys = calloc(count, sizeof *site->keys);
    if (site->routes == NULL || site->keys == NULL)
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
    free(site->keys);
}

/* ---------------------------------------------------------------- finding ----------- */

static inline bool takes(const struct route *route, const char *path, size_t length, uint64_t key)
{
    if (!begins_with(path, length, key, route))
        return false;
    return length == route->length || (!route->exact && path[route->length] == '/');
}

/* The longest that fits of `route` and those that are wider. */
static inline __attribute__((always_inline)) const struct route *
fit(const struct route *route, const char *path, size_t length, uint64_t key)
{
    while (route != NULL && !takes(route, path, length, key))
        route = route->wider;
    return route;
}

/* The search by all bytes. Not inlined: few sites need it. */
static __attribute__((noinline)) const struct route *
find_by_all(const struct site *site, const char *path, size_t length, uint64_t key)
{
    size_t from = 0, to = site->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_path(&site->routes[middle], path, length) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 ? fit(&site->routes[from - 1], path, length, key) : NULL;
}

const struct route *route_find(const struct site *site, const char *path, size_t length)
{
    if (site == NULL)
        return NULL;
    const uint64_t key = key_of(path, length);
    const uint64_t *at = site->keys; /* the last that is not greater, if any is not */
    for (size_t n = site->count, half; n > 1; n -= half) {
        half = n / 2;
        at = at[half] <= key ? at + half : at;
    }
    const struct route *route = &site->routes[at - site->keys];
    if (route->key > key)
        return NULL;
    if (route->key == key && route->length > KEY)
        return find_by_all(site, path, length, key);
    return fit(route, path, length, key);
}
