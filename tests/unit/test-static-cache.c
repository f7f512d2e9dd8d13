/* The ready answers of a route: what is kept, for how long, and what goes when room is needed. The
 * answers are stand-ins that know whether they were given and freed. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/static/cache.h"
#include "fake-reeve.h"
#include "unit.h"

#define NOW 1795215662

static struct answer {
    struct reeve_prepared public; /* first */
    int given, freed;
} answers[64];

static int reply(reeve_request *request, reeve_prepared *prepared)
{
    (void)request;
    return ++((struct answer *)(void *)prepared)->given, 0;
}

static void put_away(reeve_prepared *prepared)
{
    ((struct answer *)(void *)prepared)->freed++;
}

static const struct reeve_http_api api = {.reply_prepared = reply, .prepared_free = put_away};
static struct reeve_request request = {.api = &api};
static struct cache *cache;

static void start(size_t bytes)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        answers[i] = (struct answer){.public.api = &api};
    fake_seconds = NOW;
    cache = cache_new(bytes);
    ck_assert_ptr_nonnull(cache);
}

static struct stat file_of(off_t size)
{
    return (struct stat){.st_size = size, .st_ino = 7, .st_mtim.tv_sec = NOW - 100,
                         .st_ctim.tv_sec = NOW - 100};
}

static bool store(const char *path, unsigned variant, const struct stat *st, int answer,
                  size_t bytes)
{
    return cache_store(cache, &(struct cache_key){path, variant}, st, &answers[answer].public,
                       bytes);
}

/* Which answer is given; -1: none. */
static int asked(const char *path, unsigned variant)
{
    int before[64];
    for (int i = 0; i < 64; i++)
        before[i] = answers[i].given;
    int result = cache_reply(cache, &request, (struct cache_key){path, variant});
    if (result == CACHE_NONE)
        return -1;
    ck_assert_int_eq(result, 0);
    for (int i = 0; i < 64; i++)
        if (answers[i].given > before[i])
            return i;
    ck_abort_msg("no answer was given");
    return -1;
}

START_TEST(keeps_by_path_and_variant)
{
    struct stat st = file_of(10);
    start(65536);
    ck_assert_int_eq(asked("/a", 0), -1);
    ck_assert(store("/a", 0, &st, 0, 10));
    ck_assert(store("/a", 1, &st, 1, 10));
    ck_assert(store("/b", 0, &st, 2, 10));
    ck_assert_int_eq(asked("/a", 0), 0);
    ck_assert_int_eq(asked("/a", 1), 1);
    ck_assert_int_eq(asked("/b", 0), 2);
    ck_assert_int_eq(asked("/b", 1), -1);
    ck_assert_int_eq(asked("/", 0), -1);
    cache_free(&cache);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(answers[i].freed, 1);
}
END_TEST

START_TEST(is_good_for_a_second)
{
    struct stat st = file_of(10);
    const struct cache_key key = {"/a", 0};
    start(65536);
    ck_assert(store("/a", 0, &st, 0, 10));
    fake_seconds++;
    ck_assert_int_eq(asked("/a", 0), -1);
    ck_assert(cache_confirm(cache, &key, &st));
    ck_assert_int_eq(asked("/a", 0), 0);
    fake_seconds--; /* a clock that is set back counts as another second */
    ck_assert_int_eq(asked("/a", 0), -1);
    cache_free(&cache);
}
END_TEST

START_TEST(forgets_what_was_made_of_another_file)
{
    struct stat changes[6];
    for (int i = 0; i < 6; i++)
        changes[i] = file_of(10);
    changes[0].st_size++;
    changes[1].st_ino++;
    changes[2].st_dev++;
    changes[3].st_mtim.tv_sec++;
    changes[4].st_mtim.tv_nsec++;
    changes[5].st_ctim.tv_nsec++;
    for (int i = 0; i < 6; i++) {
        struct stat st = file_of(10);
        start(65536);
        ck_assert(store("/a", 0, &st, 0, 10));
        ck_assert(!cache_confirm(cache, &(struct cache_key){"/a", 0}, &changes[i]));
        ck_assert_int_eq(asked("/a", 0), -1);
        ck_assert_int_eq(answers[0].freed, 1);
        cache_free(&cache);
    }
}
END_TEST

START_TEST(confirms_nothing_unknown)
{
    struct stat st = file_of(10);
    start(65536);
    ck_assert(!cache_confirm(cache, &(struct cache_key){"/a", 0}, &st));
    cache_free(&cache);
}
END_TEST

/* A change in the same tick of the clock of files could not be seen. */
START_TEST(keeps_nothing_that_was_just_changed)
{
    struct stat st = file_of(10);
    start(65536);
    st.st_mtim.tv_sec = NOW - 1;
    ck_assert(!store("/a", 0, &st, 0, 10));
    st.st_mtim.tv_sec = NOW + 100; /* nor from the future */
    ck_assert(!store("/a", 0, &st, 0, 10));
    st = file_of(10);
    st.st_ctim.tv_sec = NOW;
    ck_assert(!store("/a", 0, &st, 0, 10));
    ck_assert_int_eq(answers[0].freed, 0);
    cache_free(&cache);
}
END_TEST

START_TEST(replaces)
{
    struct stat st = file_of(10);
    start(65536);
    ck_assert(store("/a", 0, &st, 0, 10));
    ck_assert(store("/a", 0, &st, 1, 10));
    ck_assert_int_eq(answers[0].freed, 1);
    ck_assert_int_eq(asked("/a", 0), 1);
    cache_free(&cache);
}
END_TEST

START_TEST(is_bounded)
{
    struct stat st = file_of(10);
    char path[16];
    int there = 0;
    start(32768);
    for (int i = 0; i < 64; i++) {
        snprintf(path, sizeof path, "/%d", i);
        ck_assert(store(path, 0, &st, i, 1000));
    }
    for (int i = 0; i < 64; i++)
        there += !answers[i].freed;
    ck_assert_int_gt(there, 8);
    ck_assert_int_lt(there * 1000, 32768);
    ck_assert_int_eq(answers[0].freed, 1);
    ck_assert_int_eq(asked("/63", 0), 63);
    ck_assert(!store("/large", 0, &st, 0, 40000));
    ck_assert_int_eq(asked("/63", 0), 63); /* nothing had to go for it */
    cache_free(&cache);
    for (int i = 1; i < 64; i++)
        ck_assert_int_eq(answers[i].freed, 1);
}
END_TEST

START_TEST(keeps_what_is_asked_for)
{
    struct stat st = file_of(10);
    char path[16];
    start(32768);
    ck_assert(store("/hot", 0, &st, 0, 1000));
    for (int i = 1; i < 64; i++) {
        ck_assert_int_eq(asked("/hot", 0), 0);
        snprintf(path, sizeof path, "/%d", i);
        ck_assert(store(path, 0, &st, i, 1000));
    }
    ck_assert_int_eq(asked("/hot", 0), 0);
    cache_free(&cache);
}
END_TEST

UNIT_MAIN("static-cache", ONCE(keeps_by_path_and_variant),
          ONCE(is_good_for_a_second),
          ONCE(forgets_what_was_made_of_another_file),
          ONCE(confirms_nothing_unknown),
          ONCE(keeps_nothing_that_was_just_changed),
          ONCE(replaces),
          ONCE(is_bounded),
          ONCE(keeps_what_is_asked_for))
