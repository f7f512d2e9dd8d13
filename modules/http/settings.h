/* What the section `http` says: limits, timeouts, sites and their routes. Written once per worker
 * by settings_read() in the main thread, afterwards only read, by all threads. */
#ifndef HTTP_SETTINGS_H
#define HTTP_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"
#include "reeve/http.h"

struct route {
    const char *prefix;   /* as configured, for messages */
    const char *site;
    size_t length;        /* of the prefix without a final slash: 0 for "/" */
    const char *module;   /* the handler's name, for messages */
    const struct reeve_handler *handler;
    void *config;         /* what its configure() stored */
};

enum access_format { ACCESS_COMBINED, ACCESS_JSON };

struct access {
    reeve_logfile *file; /* NULL: off */
    enum access_format format;
};

struct site {
    const char *title;
    struct access access;
    struct route *routes; /* longest prefix first */
    size_t count;
};

struct site_name {
    const char *name;     /* a host name in lower case, without a final dot */
    const struct site *site;
};

struct settings {
    struct parse_limits limits;
    uint64_t body_limit;
    int64_t keepalive_timeout, header_timeout, body_timeout; /* ms */
    bool server_header;
    struct access access;      /* of what is for no site: no host, no request at all */
    bool timed;                /* some access log tells how long requests take */
    const char *request_id;    /* the field that holds a request's id; NULL: none */

    struct site *sites;
    size_t site_count;
    const struct site *fallback; /* what takes every other host; NULL: no site at all */
    struct site_name *names;     /* sorted */
    size_t name_count;
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

/* The site that answers for a host name (without port; any case; NULL with length 0: none
 * given). */
const struct site *site_find(const char *host, size_t length);
/* The route with the longest prefix of `path` that ends where a segment ends. */
const struct route *route_find(const struct site *site, const char *path, size_t length);
#endif
