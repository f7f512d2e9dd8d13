/* The memory of a conf: chunks that are released together. Used while parsing, by one thread. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conf/tree.h"

struct chunk {
    struct chunk *next;
    max_align_t data[];
};

/* One chunk an allocation: a configuration has hundreds, not millions. */
void *conf_alloc(struct conf *conf, size_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + (size ? size : 1));
    if (!chunk)
        return NULL;
    chunk->next = conf->chunks;
    conf->chunks = chunk;
    return chunk->data;
}

char *conf_strdup(struct conf *conf, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = conf_alloc(conf, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void conf_release(struct conf *conf)
{
    while (conf->chunks) {
        struct chunk *chunk = conf->chunks;
        conf->chunks = chunk->next;
        free(chunk);
    }
    free(conf);
}
