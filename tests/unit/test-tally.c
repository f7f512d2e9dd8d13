/* The counters of clients: who is one, the hash, and counting by several threads at once. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "share/board.h"
#include "share/tally.h"
#include "unit.h"

static struct tally *tally;

static void setup(void)
{
    tally = aligned_alloc(_Alignof(struct tally), sizeof *tally);
    ck_assert_ptr_nonnull(tally);
    memset(tally, 0, sizeof *tally);
}

static void teardown(void)
{
    free(tally);
}

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *in = (void *)&storage;
    struct sockaddr_in6 *in6 = (void *)&storage;

    storage.ss_family = AF_INET;
    if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        return storage;
    storage.ss_family = AF_INET6;
    ck_assert_int_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
    return storage;
}

static const struct {
    const char *address, *client;
} clients[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
    {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
    {"::1", "::/64"},
    {"fe80::1", "fe80::/64"},
};

START_TEST(who_it_is)
{
    struct sockaddr_storage storage = address(clients[_i].address);
    struct tally_client client;
    char text[TALLY_TEXT];

    ck_assert(tally_client(&storage, &client));
    tally_text(&client, text);
    ck_assert_str_eq(text, clients[_i].client);
}
END_TEST

START_TEST(nobody)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct tally_client client;

    ck_assert(!tally_client(&storage, &client));
    storage.ss_family = AF_UNSPEC;
    ck_assert(!tally_client(&storage, &client));
}
END_TEST

/* The test vectors of SipHash-2-4, whose messages are 0, 1, 2, ...; ours are of nine bytes. */
START_TEST(the_hash_is_siphash)
{
    const unsigned char bytes[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    struct tally_client client = {.family = 8};

    for (int i = 0; i < 8; i++)
        client.network |= (uint64_t)bytes[i] << 8 * i;
    ck_assert_uint_eq(tally_hash(key, &client), UINT64_C(0x9e0082df0ba9e4b0));
}
END_TEST

START_TEST(families_differ)
{
    const uint64_t key[2] = {1, 2};
    struct tally_client v4 = {.family = AF_INET, .network = 1}, v6 = v4;

    v6.family = AF_INET6;
    ck_assert_uint_ne(tally_hash(key, &v4), tally_hash(key, &v6));
}
END_TEST

START_TEST(counts_up_and_down)
{
    const uint64_t one = 0x1234567890abcdef, other = one ^ (UINT64_C(1) << 40); /* same bucket */
    tally_seat *seats[100], *apart;

    ck_assert_uint_eq(tally_count(tally, one), 0);
    for (unsigned i = 0; i < 100; i++) {
        seats[i] = tally_add(tally, one);
        ck_assert_ptr_nonnull(seats[i]);
        ck_assert_uint_eq(tally_count(tally, one), i + 1);
    }
    apart = tally_add(tally, other);
    ck_assert_uint_eq(tally_count(tally, other), 1);
    ck_assert_uint_eq(tally_count(tally, one), 100);
    for (unsigned i = 0; i < 100; i++) {
        tally_drop(seats[i]);
        ck_assert_uint_eq(tally_count(tally, one), 99 - i);
    }
    tally_drop(apart);
    for (unsigned i = 0; i < TALLY_SEATS; i++)
        ck_assert_uint_eq(atomic_load(&tally->seat[one % TALLY_BUCKETS][i]), 0);
}
END_TEST

/* Whoever finds no seat is not counted, and disturbs nobody. */
START_TEST(full_bucket)
{
    tally_seat *seats[TALLY_SEATS];

    for (uint64_t i = 0; i < TALLY_SEATS; i++)
        ck_assert_ptr_nonnull(seats[i] = tally_add(tally, (i + 1) << 20));
    ck_assert_ptr_null(tally_add(tally, UINT64_C(99) << 20));
    ck_assert_uint_eq(tally_count(tally, UINT64_C(99) << 20), 0);
    ck_assert_ptr_eq(tally_add(tally, UINT64_C(3) << 20), seats[2]);
    tally_drop(seats[5]);
    ck_assert_ptr_eq(tally_add(tally, UINT64_C(99) << 20), seats[5]);
    ck_assert_uint_eq(tally_count(tally, UINT64_C(3) << 20), 2);
}
END_TEST

/* More than a seat can count go to the next one. */
START_TEST(full_seat)
{
    tally_seat *last = NULL;

    for (unsigned i = 0; i < TALLY_MOST + 10; i++)
        ck_assert_ptr_nonnull(last = tally_add(tally, 0)); /* a hash of which nothing is left */
    ck_assert_uint_eq(tally_count(tally, 0), TALLY_MOST + 10);
    for (unsigned i = 0; i < 10; i++)
        tally_drop(last);
    ck_assert_uint_eq(tally_count(tally, 0), TALLY_MOST);
    ck_assert_uint_eq(atomic_load(last), 0);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000, CLIENTS = 6 };

/* All in one bucket, in an order of its own. */
static void *come_and_go(void *arg)
{
    uint64_t seed = (uintptr_t)arg;
    tally_seat *seats[CLIENTS] = {0};

    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t which = seed >> 33 & 0xffff;
        which %= CLIENTS;
        if (seats[which])
            tally_drop(seats[which]);
        seats[which] = seats[which] ? NULL : tally_add(tally, (which + 1) << 20);
    }
    for (int i = 0; i < CLIENTS; i++)
        if (seats[i])
            tally_drop(seats[i]);
    return NULL;
}

START_TEST(threads_together)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < TALLY_SEATS; i++)
        ck_assert_uint_eq(atomic_load(&tally->seat[0][i]), 0);
}
END_TEST

/* Several workers; one that is gone counts no more, one that drains does. */
START_TEST(on_the_board)
{
    enum { WORKERS = 3 };
    const unsigned segment[WORKERS] = {0, 33, BOARD_SEGMENTS - 1};
    struct board master, worker[WORKERS];
    const uint64_t hash = 77;

    ck_assert_int_eq(board_create(&master), 0);
    ck_assert(master.head->tally_key[0] != 0 || master.head->tally_key[1] != 0);
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(board_attach(&worker[i], dup(master.fd), segment[i]), 0);
        board_set_serving(&master, segment[i], true);
        for (int n = 0; n <= i; n++)
            ck_assert_ptr_nonnull(tally_add(worker[i].own_tally, hash));
    }
    ck_assert_uint_eq(board_tally_count(&worker[0], hash), 6);
    board_set_serving(&master, segment[1], false);
    ck_assert_uint_eq(board_tally_count(&worker[0], hash), 6);
    ck_assert_int_eq(board_segment_clear(&master, segment[2]), 0);
    ck_assert_uint_eq(board_tally_count(&worker[0], hash), 3);
    board_set_serving(&master, segment[2], true); /* another one */
    ck_assert_uint_eq(board_tally_count(&worker[0], hash), 3);
    board_detach(&worker[1]);
    ck_assert_ptr_nonnull(tally_add(worker[1].own_tally, hash));
    ck_assert_uint_eq(board_tally_count(&worker[0], hash), 3);
    for (int i = 0; i < WORKERS; i++)
        board_close(&worker[i]);
    board_close(&master);
}
END_TEST

/* The next image of the master knows who holds connections. */
START_TEST(board_of_an_earlier_image)
{
    struct board master, next, worker;

    ck_assert_int_eq(board_create(&master), 0);
    board_set_serving(&master, 40, true);
    board_set_serving(&master, 40, false);
    ck_assert_int_eq(board_attach(&worker, dup(master.fd), 40), 0);
    ck_assert_ptr_nonnull(tally_add(worker.own_tally, 7));
    ck_assert_int_eq(board_adopt(&next, dup(master.fd)), 0);
    board_set_serving(&next, 41, true);
    ck_assert_uint_eq(board_tally_count(&worker, 7), 1);
    ck_assert_int_eq(board_segment_clear(&next, 40), 0);
    ck_assert_uint_eq(board_tally_count(&worker, 7), 0);
    board_close(&worker);
    board_close(&next);
    board_close(&master);
}
END_TEST

UNIT_MAIN_AROUND("tally", setup, teardown, EACH(who_it_is, clients), ONCE(nobody),
                 ONCE(the_hash_is_siphash), ONCE(families_differ), ONCE(counts_up_and_down),
                 ONCE(full_bucket), ONCE(full_seat), ONCE(threads_together), ONCE(on_the_board),
                 ONCE(board_of_an_earlier_image))
