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

/* What answers at "/m". Each once in the loop and once in the pool. */
enum http_site_kind {
    HTTP_SITE_MIRROR,         /* mirrors the request; this at first */
    HTTP_SITE_MIRROR_IN_POOL,
    HTTP_SITE_RECEIVE,        /* receives a body piece by piece: answers with its length and a sum,
                                 early if there is a "!" in it, and fails at a "?" */
    HTTP_SITE_RECEIVE_IN_POOL,
    HTTP_SITE_STREAM,         /* the body comes back in pieces of five bytes */
    HTTP_SITE_STREAM_IN_POOL,
    HTTP_SITE_KINDS,
};
void http_site_use(enum http_site_kind kind);

/* "/m" is as http_site_use() says, nothing else is there. The limits are small ones: a line of 128
 * bytes, 256 bytes of fields, 8 fields, a body of 64 bytes. */
void http_site_open(void);
void http_site_close(void);

/* One connection: `first` bytes at once, then the rest in pieces of `step`. If jobs are deferred
 * (see fake_pool), they run when more has come, and when all has. */
void http_site_talk(const char *data, size_t length, size_t first, size_t step,
                    struct http_talk *talk);
void http_site_forget(struct http_talk *talk);
#endif
