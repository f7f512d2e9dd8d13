/* The ready answers of a route: what a request for a whole file was answered with, by the path that
 * was asked for. Any thread. */
#ifndef STATIC_CACHE_H
#define STATIC_CACHE_H
#include <stdbool.h>
#include <sys/stat.h>

#include "reeve/http.h"

struct cache;

/* For at most `bytes` of answers, with what keeping each of them takes. NULL: memory is short. */
struct cache *cache_new(size_t bytes);
void cache_free(struct cache **cache);

/* What an answer is for. */
struct cache_key {
    const char *path;  /* decoded */
    unsigned variant;  /* which codings the client takes, and how gladly */
};

/* Where an answer that is about to be made may be kept. */
struct cache_place {
    struct cache *cache; /* NULL: nowhere */
    struct cache_key key;
};

/* Gives the answer that was made for the key, if the file was looked at in this second, and returns
 * what reeve_reply_prepared() does. CACHE_NONE: there is none. */
#define CACHE_NONE 1
int cache_reply(struct cache *cache, reeve_request *request, struct cache_key key);
/* The file behind the key has been opened and looked at. True: the answer is still that which was
 * made of it then, and is good for this second too. */
bool cache_confirm(struct cache *cache, const struct cache_key *key, const struct stat *st);
/* Answers with 200 and a body, or with a whole file, whose descriptor is taken, and keeps that
 * answer for the next ones. What reeve_reply() returns. */
int cache_answer(const struct cache_place *place, const struct stat *st, reeve_request *request,
                 const char *type, const void *body, size_t length);
int cache_answer_file(const struct cache_place *place, const struct stat *st,
                      reeve_request *request, const char *type, int fd);

/* Takes an answer with `bytes` of body, made of a file like that, instead of what there was. False:
 * it is not kept, and still the caller's, because the file was changed too lately for a further
 * change to show, or memory is short. */
bool cache_store(struct cache *cache, const struct cache_key *key, const struct stat *st,
                 reeve_prepared *answer, size_t bytes);
#endif
