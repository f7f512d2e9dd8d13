/* Compressing files while they are sent: which ones, and how. */
#ifndef STATIC_GZIP_H
#define STATIC_GZIP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reeve/http.h"

struct file;

/* Of one route; constant once configured. */
struct gzip {
    bool on;
    int level;
    uint64_t least; /* smaller files are sent as they are */
    const char **types;
    size_t type_count;
};

/* Reads the options; without `may_transform` (RFC 9110, 7.7) nothing is ever compressed. 0, or -1
 * after reeve_conf_error(); to be freed in both cases. Main thread. */
int gzip_read(const reeve_section *section, bool may_transform, struct gzip *gzip);
void gzip_free(struct gzip *gzip);

/* Whether files of this media type may be compressed: the answer depends on the client. */
bool gzip_fits(const struct gzip *gzip, const char *type);
/* Whether a file of `size` bytes whose type fits is to be compressed for this request. */
bool gzip_wanted(const struct gzip *gzip, const reeve_request *request, uint64_t size);
/* Answers with 200 and the file, which is taken, in gzip. The fields have been set. What
 * reeve_reply() returns. Where a thread may wait. */
int gzip_send(const struct gzip *gzip, reeve_request *request, const struct file *file);

/* Rows of the handler's option table. */
#define GZIP_OPTIONS                                                                               \
    {.name = "gzip", .type = REEVE_OPT_BOOL, .fallback = "off",                                    \
     .help = "Whether files are compressed while they are sent, for clients that accept gzip. Not "\
             "if a precompressed sibling is sent, if a part is asked for by Range, or if "         \
             "cache_control holds no-transform. It takes a pool thread about 20 ms for each MB, "  \
             "each time: precompressed siblings take none. Of files above 64 KiB a worker "        \
             "compresses at most 256 at once, and sends others as they are."},                     \
    {.name = "gzip_types", .type = REEVE_OPT_LIST,                                                 \
     .fallback = "text/*,application/atom+xml,application/javascript,application/json,"            \
                 "application/ld+json,application/manifest+json,application/rss+xml,"              \
                 "application/wasm,application/xhtml+xml,application/xml,image/svg+xml",           \
     .help = "Media types of the files that gzip compresses; \"text/*\" means all that begin with "\
             "text/. Their answers say Vary: Accept-Encoding."},                                   \
    {.name = "gzip_least", .type = REEVE_OPT_SIZE, .fallback = "1KiB", .min = 1,                  \
     .max = INT64_MAX,                                                                             \
     .help = "Smaller files are not compressed: they fit into one packet as they are."},           \
    {.name = "gzip_level", .type = REEVE_OPT_INT, .fallback = "5", .min = 1, .max = 9,             \
     .help = "From 1, fast, to 9, small. Text at 5 is about 1 percent larger than at 9, for a "    \
             "third of the time; at 1 it is 17 percent larger, for half of the time at 5."}
#endif
