/* How many connections each client has: a table of counters, one for each worker, on the board.
 *
 * A client is the network that an address stands for: an IPv4 address, or the first 64 bits of an
 * IPv6 one. It is known by a hash under a secret key, which the board holds for all workers. A
 * worker counts in its own table, by any of its threads; others add up what stands in all of them.
 * Nothing is allocated and nothing is locked; what a worker had counted ends with its table. */
#ifndef SHARE_TALLY_H
#define SHARE_TALLY_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr_storage;

#define TALLY_BUCKETS 8192 /* a power of two */
#define TALLY_SEATS 8      /* in a bucket: a cache line */
#define TALLY_MOST 65535   /* that a seat can count */

/* A seat holds one client: 48 bits of its hash above, how many connections below; 0: it is free.
 * A client may have several in its bucket: two threads may have seated it at once. */
typedef _Atomic uint64_t tally_seat;

struct tally {
    _Alignas(4096) tally_seat seat[TALLY_BUCKETS][TALLY_SEATS];
};

struct tally_client {
    int family;       /* AF_INET or AF_INET6 */
    uint64_t network; /* in the order of the wire */
};

#define TALLY_TEXT 64 /* room for a client as text */

/* False: it is not to be counted (a Unix socket, or nobody knows). IPv4 in IPv6 is IPv4. */
bool tally_client(const struct sockaddr_storage *address, struct tally_client *client);
/* "192.0.2.1", "2001:db8:0:1::/64" */
void tally_text(const struct tally_client *client, char text[TALLY_TEXT]);
uint64_t tally_hash(const uint64_t key[2], const struct tally_client *client);

/* One connection more. What is returned counts it until tally_drop(); NULL: the bucket is full of
 * others, it is not counted. */
tally_seat *tally_add(struct tally *tally, uint64_t hash);
void tally_drop(tally_seat *seat);
/* Of one worker. */
uint64_t tally_count(const struct tally *tally, uint64_t hash);
#endif
