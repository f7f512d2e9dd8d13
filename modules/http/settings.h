/* What the section `http` says: limits, timeouts, sites and their routes. Written once per worker
 * by settings_read() in the main thread, afterwards only read, by all threads. */
#ifndef HTTP_SETTINGS_H
#define HTTP_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "guard.h"
#include "pages.h"
#include "parse.h"
#include "reeve/http.h"

struct route {
    const char *prefix;   /* as configured, "/x" or "= /x", for messages */
    const char *site;
    const char *path;     /* of it what is compared with a request's path */
    size_t length;        /* of the path; of a prefix without its final slash: 0 for "/" */
    uint64_t key, mask;   /* of the path's beginning, see routes.c */
    bool priority;        /* before all others in the pool */
    bool exact;           /* no path below it is meant */
    const struct route *wider; /* the longest other whose path this one's begins with */
    const char *module;   /* the handler's name, for messages */
    const struct reeve_handler *handler;
    int (*receive)(struct reeve_request *request, void *config, const void *data,
                   size_t length); /* the handler's, if it is new enough to have one; or NULL */
    void *config;         /* what its configure() stored */
    struct guard *guard;  /* who may ask, by address; NULL: everybody */
    const struct auth *auth; /* who is asked for a password; NULL: nobody */
};

enum access_format { ACCESS_COMBINED, ACCESS_JSON };

struct access {
    reeve_logfile *file; /* NULL: off */
    enum access_format format;
};

struct site {
    const char *title;
    struct access access;
    struct route *routes; /* by path, see routes.c */
    uint64_t *keys;       /* of each of them */
    size_t count;
    struct guard *guard;  /* of routes that have none of their own; likewise */
    const struct auth *auth;
    struct pages pages;
};

struct site_name {
    const char *name;     /* a host name in lower case, without a final dot; of a wildcard what
                             follows the star: ".example.org" */
    const struct site *site;
};

struct site_names {       /* sorted */
    struct site_name *list;
    size_t count;
};

struct settings {
    struct parse_limits limits;
    uint64_t body_limit, body_rate;
    unsigned keepalive_requests; /* 0: no limit */
    int64_t keepalive_timeout, header_timeout, body_timeout; /* ms */
    bool server_header;
    struct access access;      /* of what is for no site: no host, no request at all */
    bool timed;                /* some access log tells how long requests take */
    const char *request_id;    /* the field that holds a request's id; NULL: none */

    struct site *sites;
    size_t site_count;
    const struct site *fallback; /* what takes every other host; NULL: no site at all */
    struct site_names names, wildcards;
    unsigned auth_limit;         /* passwords in hand at once */
};

extern struct settings settings;
extern const reeve_option settings_options[];

/* 0, or -1 after reeve_conf_error(). */
int settings_read(const reeve_section *section);
void settings_free(void);
/* access-conf.c: the access log of a section, which may say that it is the `outer` one; and the
 * field for request ids. 0, or -1 after reeve_conf_error(). */
int access_read(const reeve_section *section, const struct access *outer, struct access *access);
int access_read_id(const reeve_section *section);

/* sites.c, routes.c: 0, or -1 after reeve_conf_error(); the site's title is set. */
int sites_read(const reeve_section *section);
void sites_free(void);
int routes_read(const reeve_section *section, struct site *site);
void routes_free(struct site *site);

/* The site that answers for a host name (without port; any case; NULL with length 0: none
 * given). */
const struct site *site_find_among(const char *host, size_t length); /* where there are several */
static inline const struct site *site_find(const char *host, size_t length)
{
    return settings.site_count > 1 ? site_find_among(host, length) : settings.fallback;
}
/* The route that is exactly `path`; else that with the longest prefix of it that ends where a
 * segment ends. */
const struct route *route_find(const struct site *site, const char *path, size_t length);
#endif
