/* Answering with an opened file, or a part of it, or that the client has it already. */
#ifndef STATIC_FILE_H
#define STATIC_FILE_H
#include <sys/stat.h>

#include "accept.h"
#include "cache.h"
#include "extra.h"
#include "reeve/http.h"

struct file {
    int fd;
    struct stat st;                     /* of a regular file */
    const char *type;                   /* media type */
    const struct accept_coding *coding; /* in which the bytes of `fd` are; NULL: none */
    struct cache_place place;           /* for an answer with all of it */
};

/* Answers a GET or HEAD; takes the descriptor. What reeve_reply() returns. Any thread. */
int file_send(reeve_request *request, const struct extra *extra, const struct file *file);
#endif
