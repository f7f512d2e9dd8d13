/* For tests of static: a temporary tree, and a request of our own in place of http's. */
#ifndef TESTS_STATIC_TREE_H
#define TESTS_STATIC_TREE_H
#include <stdbool.h>
#include <stddef.h>

#include "fake-reeve.h"
#include "reeve/http.h"

#define OCTETS "application/octet-stream"
#define TEXT "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"

extern const reeve_module reeve_module_descriptor;

/* What is asked, and how it was answered. */
struct asked {
    struct reeve_request public; /* first */
    const char *method, *path, *query, *since, *accept, *encodings;
    size_t prefix; /* length of the route's prefix */
    int status;
    char type[128];
    char fields[4096];
    char body[65536];
    size_t length;
    bool by_file;
    bool waited; /* it was asked again, in the pool */
};
extern struct asked asked;

struct tree {
    char base[64], root[80];  /* the root is the base, or a folder of it */
    void *config;
    int descriptors;          /* tree_next_descriptor() must be this at the end */
    const char *fallback;
    size_t precompressed;     /* 1: gzip */
    size_t extensions;        /* how many of { ".txt", ".html" } */
};
extern struct tree tree;

/* Around each test. An empty folder, base and root in one; or a root with all sorts of files, for
 * which the handler is configured. Walked: the kernel says that it has no openat2, so that files
 * are found by walking, and links not at all. */
void tree_make(void);
void tree_set_up(void);
void tree_set_up_walked(void);
void tree_tear_down(void);
#define WALKED(run, count) {.test = (run), .times = (count), .setup = tree_set_up_walked}

/* Names are below the base. */
void tree_put(const char *name, const char *text);
void tree_folder(const char *name);
void tree_link(const char *target, const char *name);
const char *tree_path(const char *name); /* until the next call */
/* The next free descriptor: the same before and after, or one was lost. */
int tree_next_descriptor(void);
/* Configures the handler by what stands in `tree`, or by these values, which must stay: 0, or
 * -1. */
void tree_configure(bool symlinks);
int tree_configure_by(const struct fake_value *values);
/* Asks for that, in the loop and if need be in the pool; the status.
 * Of `asked`, since, accept, encodings and prefix stay as they are. */
int tree_ask(const char *method, const char *path);
int tree_ask_query(const char *method, const char *path, const char *query);
void tree_serves(const char *path, const char *type, const char *body);
#endif
