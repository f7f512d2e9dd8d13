/* The ready answers of a route; see cache.h.
 *
 * A hash table of entries, which also stand in a ring in the order of their coming. Where room is
 * needed the oldest goes, but one that was asked for since it was last looked at gets another
 * round. One lock guards all of it: what happens under it takes a fraction of a microsecond, the
 * copying of a small answer included. The cache owns its entries, their keys and their answers.
 *
 * What must hold: an answer is given only in the second in which its file was last seen to be the
 * same (size, times, inode), so nobody is given what is older than that. An answer is kept only if
 * its file was at rest for two seconds: the clock by which files are stamped ticks coarsely, and a
 * second change within a tick could not be told from the first.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../word.h"
#include "cache.h"
#include "lock.h"

#define BYTES_A_BUCKET 2048 /* about what an entry takes */
#define AT_REST 2           /* seconds */
#define ENTRY_COST 1024     /* bytes of an entry besides path and body: more than its head takes */
#define DESCRIPTOR_COST 65536 /* what an open file counts as, lest there be too many */

struct entry {
    struct entry *chain;         /* in the same bucket */
    struct entry *older, *newer; /* the ring */
    uint64_t hash;
    int64_t second;              /* in which its file was last looked at */
    reeve_prepared *answer;
    size_t cost;
    bool used;
    unsigned variant;
    struct stat st;
    size_t length;               /* of the path */
    char path[];
};

struct cache {
    struct lock lock;
    size_t limit, cost;
    uint64_t mask;               /* of the buckets */
    struct entry *ring;          /* the oldest; NULL: empty */
    struct entry *buckets[];
};

struct cache *cache_new(size_t bytes)
{
    uint64_t buckets = 16;
    while (buckets < bytes / BYTES_A_BUCKET)
        buckets *= 2;
    struct cache *cache = calloc(1, sizeof *cache + buckets * sizeof *cache->buckets);
    if (cache == NULL)
        return NULL;
    cache->limit = bytes;
    cache->mask = buckets - 1;
    return cache;
}

/* ---------------------------------------------------------------- entries ----------- */

/* The high half has seen every bit, and goes down to the low ones, by which buckets are chosen. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* Eight bytes at a time, the last ones perhaps twice. Only names of files that exist get in, so
 * nobody outside chooses what collides. */
static inline uint64_t hash_of(const struct cache_key *key, size_t length)
{
    const char *path = key->path;
    uint64_t hash = mix(key->variant, length);
    if (length < 4) {
        while (*path != '\0')
            hash = mix(hash, (unsigned char)*path++);
        return hash;
    }
    if (length < 8)
        return mix(hash, word_ends(path, length));
    for (const char *last = path + length - 8; path < last; path += 8)
        hash = mix(hash, word_load(path, 8));
    return mix(hash, word_load(key->path + length - 8, 8));
}

static inline __attribute__((always_inline)) struct entry *
find(const struct cache *cache, const struct cache_key *key)
{
    const size_t length = strlen(key->path);
    const uint64_t hash = hash_of(key, length);
    struct entry *entry = cache->buckets[hash & cache->mask];
    while (entry != NULL && (entry->hash != hash || entry->variant != key->variant ||
                             entry->length != length || !word_same(entry->path, key->path, length)))
        entry = entry->chain;
    return entry;
}

/* As the newest. */
static void link_entry(struct cache *cache, struct entry *entry)
{
    struct entry **bucket = &cache->buckets[entry->hash & cache->mask];
    entry->chain = *bucket;
    *bucket = entry;
    if (cache->ring == NULL) {
        cache->ring = entry->older = entry->newer = entry;
    } else {
        entry->newer = cache->ring;
        entry->older = cache->ring->older;
        entry->newer->older = entry->older->newer = entry;
    }
    cache->cost += entry->cost;
}

static void drop(struct cache *cache, struct entry *entry)
{
    struct entry **at = &cache->buckets[entry->hash & cache->mask];
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    entry->older->newer = entry->newer;
    entry->newer->older = entry->older;
    if (cache->ring == entry)
        cache->ring = entry->newer != entry ? entry->newer : NULL;
    cache->cost -= entry->cost;
    reeve_prepared_free(entry->answer);
    free(entry);
}

static void make_room(struct cache *cache, size_t cost)
{
    while (cache->ring != NULL && cache->cost + cost > cache->limit) {
        struct entry *oldest = cache->ring;
        if (!oldest->used) {
            drop(cache, oldest);
            continue;
        }
        oldest->used = false;
        cache->ring = oldest->newer; /* that makes it the newest */
    }
}

void cache_free(struct cache **pointer)
{
    struct cache *cache = *pointer;
    *pointer = NULL;
    if (cache == NULL)
        return;
    while (cache->ring != NULL)
        drop(cache, cache->ring);
    free(cache);
}

/* ---------------------------------------------------------------- use --------------- */

int cache_reply(struct cache *cache, reeve_request *request, struct cache_key key)
{
    int result = CACHE_NONE;
    lock_take(&cache->lock);
    struct entry *entry = find(cache, &key);
    if (entry != NULL && entry->second == reeve_time()) {
        entry->used = true;
        result = reeve_reply_prepared(request, entry->answer);
    }
    lock_leave(&cache->lock);
    return result;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool cache_confirm(struct cache *cache, const struct cache_key *key, const struct stat *st)
{
    lock_take(&cache->lock);
    struct entry *entry = find(cache, key);
    bool same = entry != NULL && is_same(&entry->st, st);
    if (same)
        entry->second = reeve_time();
    else if (entry != NULL)
        drop(cache, entry);
    lock_leave(&cache->lock);
    return same;
}

static struct entry *entry_new(const struct cache_key *key, const struct stat *st,
                               reeve_prepared *answer, size_t bytes)
{
    size_t length = strlen(key->path);
    struct entry *entry = malloc(sizeof *entry + length + 1);
    if (entry == NULL)
        return NULL;
    *entry = (struct entry){.hash = hash_of(key, length), .second = reeve_time(), .answer = answer,
                            .cost = sizeof *entry + length + 1 + ENTRY_COST + bytes,
                            .variant = key->variant, .st = *st, .length = length};
    memcpy(entry->path, key->path, length + 1);
    return entry;
}

bool cache_store(struct cache *cache, const struct cache_key *key, const struct stat *st,
                 reeve_prepared *answer, size_t bytes)
{
    if (st->st_mtim.tv_sec + AT_REST > reeve_time() || st->st_ctim.tv_sec + AT_REST > reeve_time())
        return false;
    struct entry *entry = entry_new(key, st, answer, bytes);
    if (entry == NULL || entry->cost > cache->limit) {
        free(entry);
        return false;
    }
    lock_take(&cache->lock);
    struct entry *before = find(cache, key);
    if (before != NULL)
        drop(cache, before);
    make_room(cache, entry->cost);
    link_entry(cache, entry);
    lock_leave(&cache->lock);
    return true;
}

/* ---------------------------------------------------------------- answering --------- */

static int give(const struct cache_place *place, const struct stat *st, reeve_request *request,
                reeve_prepared *answer, size_t bytes)
{
    int result = reeve_reply_prepared(request, answer);
    if (!cache_store(place->cache, &place->key, st, answer, bytes))
        reeve_prepared_free(answer);
    return result;
}

int cache_answer(const struct cache_place *place, const struct stat *st, reeve_request *request,
                 const char *type, const void *body, size_t length)
{
    if (place->cache == NULL)
        return reeve_reply(request, 200, type, body, length);
    reeve_prepared *answer = reeve_prepare(request, 200, type, body, length);
    return answer != NULL ? give(place, st, request, answer, length) : -1;
}

int cache_answer_file(const struct cache_place *place, const struct stat *st,
                      reeve_request *request, const char *type, int fd)
{
    size_t length = (size_t)st->st_size;
    reeve_prepared *answer = place->cache != NULL
        ? reeve_prepare_file(request, 200, type, fd, 0, length) : NULL;
    if (answer == NULL)
        return reeve_reply_file(request, 200, type, fd, 0, length);
    return give(place, st, request, answer, DESCRIPTOR_COST);
}
