/* The counters of clients; see tally.h. Any thread of a worker; the memory is the board's.
 *
 * What must hold: a seat is free exactly if it counts nothing, so whoever holds a count finds its
 * seat where it was. Adding comes before looking, in one order for all (seq_cst): of two workers
 * that take the last place at once at least one sees the other. */
#include "config.h"

#include "share/tally.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/siphash.h"

#define COUNT_BITS 16

/* ------------------------------------------------------------------- who it is --- */

bool tally_client(const struct sockaddr_storage *address, struct tally_client *client)
{
    const struct sockaddr_in *in = (const void *)address;
    const struct sockaddr_in6 *in6 = (const void *)address;

    *client = (struct tally_client){.family = AF_INET};
    if (address->ss_family == AF_INET) {
        memcpy(&client->network, &in->sin_addr, 4);
    } else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        memcpy(&client->network, &in6->sin6_addr.s6_addr[12], 4);
    } else if (address->ss_family == AF_INET6) {
        client->family = AF_INET6;
        memcpy(&client->network, &in6->sin6_addr, sizeof(client->network));
    } else {
        return false;
    }
    return true;
}

void tally_text(const struct tally_client *client, char text[TALLY_TEXT])
{
    struct in6_addr address = {0};

    memcpy(&address, &client->network, sizeof(client->network));
    if (!inet_ntop(client->family, &address, text, TALLY_TEXT))
        text[0] = '\0';
    else if (client->family == AF_INET6)
        strcat(text, "/64");
}

/* ------------------------------------------------------------------- its hash --- */

/* The network's eight bytes and the family's one: who does not have the key cannot choose addresses
 * that fill a bucket. */
uint64_t tally_hash(const uint64_t key[2], const struct tally_client *client)
{
    struct siphash hash = siphash_begin(key, false);

    siphash_absorb(&hash, client->network);
    siphash_absorb(&hash, UINT64_C(9) << 56 | (unsigned char)client->family);
    return siphash_first(&hash);
}

/* ------------------------------------------------------------------- counting --- */

/* The bucket is told by the lower bits, the rest by the upper ones. */
static uint64_t mark_of(uint64_t hash)
{
    uint64_t mark = hash >> COUNT_BITS;

    return mark ? mark : 1;
}

static uint64_t count_of(uint64_t word)
{
    return word & TALLY_MOST;
}

/* If it is that client's, or free. False: it is neither, or not any more. */
static bool sit(tally_seat *seat, uint64_t mark, bool free_too)
{
    uint64_t word = atomic_load(seat);

    while (word == 0 ? free_too : word >> COUNT_BITS == mark && count_of(word) < TALLY_MOST)
        if (atomic_compare_exchange_weak(seat, &word, word ? word + 1 : mark << COUNT_BITS | 1))
            return true;
    return false;
}

tally_seat *tally_add(struct tally *tally, uint64_t hash)
{
    tally_seat *bucket = tally->seat[hash % TALLY_BUCKETS];
    uint64_t mark = mark_of(hash);

    for (int free_too = 0; free_too < 2; free_too++)
        for (int i = 0; i < TALLY_SEATS; i++)
            if (sit(&bucket[i], mark, free_too))
                return &bucket[i];
    return NULL;
}

void tally_drop(tally_seat *seat)
{
    uint64_t word = atomic_load(seat);

    while (!atomic_compare_exchange_weak(seat, &word, count_of(word) > 1 ? word - 1 : 0))
        ;
}

uint64_t tally_count(const struct tally *tally, uint64_t hash)
{
    const tally_seat *bucket = tally->seat[hash % TALLY_BUCKETS];
    uint64_t mark = mark_of(hash), count = 0;

    for (int i = 0; i < TALLY_SEATS; i++) {
        uint64_t word = atomic_load(&bucket[i]);

        if (word >> COUNT_BITS == mark)
            count += count_of(word);
    }
    return count;
}
