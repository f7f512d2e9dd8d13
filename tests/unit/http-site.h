/* The http module with one site over fake-reeve, and whole connections that it is asked by: for the
 * corpus and the fuzzers. One thread. */
#ifndef TESTS_HTTP_SITE_H
#define TESTS_HTTP_SITE_H
#include <stddef.h>

#include "reeve/protocol.h"

struct http_talk {
    char *output;          /* without any 100 Continue; ends with NUL */
    size_t length;
    reeve_verdict verdict; /* after the last byte */
};

/* "/m" mirrors the request, nothing else is there. The limits are small ones: a line of 128 bytes,
 * 256 bytes of fields, 8 fields, a body of 64 bytes. */
void http_site_open(void);
void http_site_close(void);

/* One connection: `first` bytes at once, then the rest in pieces of `step`. */
void http_site_talk(const char *data, size_t length, size_t first, size_t step,
                    struct http_talk *talk);
void http_site_forget(struct http_talk *talk);
#endif
