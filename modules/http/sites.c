/* Sites: read while configuring, found by the host of a request: by its name, else by the longest
 * wildcard, else the one for all others.
 *
 * Main thread while configuring, loop threads afterwards. The memory lives as long as the worker.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "settings.h"

#define NAME_MAX_LENGTH 253 /* RFC 1035, 2.3.4, as text */

/* ---------------------------------------------------------------- names ------------- */

static int name_order(const void *a, const void *b)
{
    const struct site_name *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* A host name in lower case, or "*" and such a name. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);
    bool bracketed = length > 1 && name[0] == '[' && name[length - 1] == ']'; /* IPv6 */
    if (name[0] == '*' && (name[1] != '.' || name[2] == '\0'))
        return false;
    return length > 0 && length <= NAME_MAX_LENGTH && strchr(name + 1, '*') == NULL &&
           strpbrk(name, bracketed ? "/ \t@" : "/ \t@:[]") == NULL;
}

static int add_name(const reeve_section *section, const struct site *site, const char *text)
{
    char name[NAME_MAX_LENGTH + 2];
    size_t length = strnlen(text, sizeof name - 1);
    for (size_t i = 0; i < length; i++)
        name[i] = (char)tolower((unsigned char)text[i]);
    if (length > 1 && name[length - 1] == '.')
        length--;
    name[length] = '\0';
    if (!is_name(name))
        return reeve_conf_error(section, "names", "\"%s\" is not a host name: write it without "
                                "scheme, port and path, and a star only as in \"*.example.org\"",
                                text);
    bool wildcard = name[0] == '*';
    struct site_names *names = wildcard ? &settings.wildcards : &settings.names;
    char *copy = strdup(name + wildcard);
    if (copy == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    names->list[names->count++] = (struct site_name){copy, site};
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

static int sort_names(const reeve_section *section, struct site_names *names)
{
    qsort(names->list, names->count, sizeof *names->list, name_order);
    for (size_t i = 1; i < names->count; i++) {
        const struct site_name *left = &names->list[i - 1], *right = &names->list[i];
        if (name_order(left, right) == 0 && left->site != right->site)
            return reeve_conf_error(section, "site", "the host name \"%s%s\" is given to site "
                                    "\"%s\" and to site \"%s\": remove one",
                                    left->name[0] == '.' ? "*" : "", left->name,
                                    left->site->title, right->site->title);
    }
    return 0;
}

static void free_names(struct site_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free((char *)names->list[i].name);
    free(names->list);
}

/* ---------------------------------------------------------------- sites ------------- */

static int read_site(const reeve_section *section, struct site *site)
{
    site->title = reeve_conf_title(section);
    if (strcmp(site->title, "default") == 0)
        settings.fallback = site;
    if (access_read(section, &settings.access, &site->access) != 0 ||
        read_names(section, site) != 0 || pages_read(section, &site->pages) != 0 ||
        guard_read(section, &site->guard) != 0 ||
        auth_read(section, NULL, site->title, &site->auth) != 0)
        return -1;
    return routes_read(section, site);
}

int sites_read(const reeve_section *section)
{
    settings.site_count = reeve_conf_count(section, "site");
    if (settings.site_count == 0)
        return 0;
    size_t names = count_names(section);
    settings.sites = calloc(settings.site_count, sizeof *settings.sites);
    settings.names.list = calloc(names, sizeof *settings.names.list);
    settings.wildcards.list = calloc(names, sizeof *settings.wildcards.list);
    if (settings.sites == NULL || settings.names.list == NULL || settings.wildcards.list == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    settings.fallback = &settings.sites[0];
    for (size_t i = 0; i < settings.site_count; i++)
        if (read_site(reeve_conf_section(section, "site", i), &settings.sites[i]) != 0)
            return -1;
    return sort_names(section, &settings.names) != 0 ? -1
                                                     : sort_names(section, &settings.wildcards);
}

void sites_free(void)
{
    for (size_t i = 0; settings.sites != NULL && i < settings.site_count; i++) {
        struct site *site = &settings.sites[i];
        routes_free(site);
        guard_free(site->guard);
        auth_free(site->auth);
        pages_free(&site->pages);
    }
    free_names(&settings.names);
    free_names(&settings.wildcards);
    free(settings.sites);
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

static const struct site *find_in(const struct site_names *names, const char *host, size_t length)
{
    if (names->count == 0)
        return NULL;
    struct wanted wanted = {host, length};
    const struct site_name *found =
        bsearch(&wanted, names->list, names->count, sizeof *names->list, compare_host);
    return found != NULL ? found->site : NULL;
}

/* The longest wildcard is that for the leftmost dot. A dot in front has no label before it. */
static const struct site *find_wildcard(const char *host, size_t length)
{
    for (size_t i = 1; settings.wildcards.count > 0 && i < length; i++) {
        const struct site *site =
            host[i] == '.' ? find_in(&settings.wildcards, host + i, length - i) : NULL;
        if (site != NULL)
            return site;
    }
    return NULL;
}

const struct site *site_find_among(const char *host, size_t length)
{
    if (length == 0 || length > NAME_MAX_LENGTH)
        return settings.fallback;
    const struct site *site = find_in(&settings.names, host, length);
    if (site == NULL)
        site = find_wildcard(host, length);
    return site != NULL ? site : settings.fallback;
}
