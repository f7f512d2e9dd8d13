/* A site's own pages for errors: the option error_page. Read while configuring, afterwards only
 * sent, by all threads. */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H
#include <stddef.h>

#include "reeve/module.h"

struct page {
    int status;
    const char *type; /* Content-Type */
    char *data;
    size_t length;
};

struct pages {
    struct page *list;
    size_t count;
};

/* 0, or -1 after reeve_conf_error(). */
int pages_read(const reeve_section *section, struct pages *pages);
/* The page of that status; NULL if the site has none. */
const struct page *pages_find(const struct pages *pages, int status);
void pages_free(struct pages *pages);
#endif
