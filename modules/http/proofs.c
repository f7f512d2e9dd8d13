/* The memory of proven passwords; see proofs.h.
 *
 * The hash is SipHash-2-4 with 128 bits (Aumasson and Bernstein), under a key that is drawn when
 * the worker starts and never leaves it: who cannot read the worker's memory can neither make two
 * texts meet nor learn anything from the time that a look-up takes. The table has a fixed size, so
 * that nobody can make it grow; only passwords that were right come into it.
 *
 * A lock guards the table; nothing else is done under it. The table lives as long as the worker.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "proofs.h"

#define SETS 256 /* of places that a proof may be kept in: a power of two */
#define WAYS 4

static struct {
    uint64_t key[2];
    pthread_mutex_t lock;
    struct proof kept[SETS][WAYS]; /* all zero: nothing */
    unsigned char turn[SETS];
} proofs = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool proofs_start(void)
{
    memset(proofs.kept, 0, sizeof proofs.kept);
    ssize_t n;
    do
        n = getrandom(proofs.key, sizeof proofs.key, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof proofs.key;
}

/* ---------------------------------------------------------------- the hash ---------- */

/* Up to 8 bytes, the first is the lowest. */
static uint64_t word_of(const unsigned char *at, size_t length)
{
    uint64_t word = 0;
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

struct proof proof_of(uint64_t where, const void *data, size_t length)
{
    const unsigned char *at = data;
    struct siphash hash = siphash_begin(proofs.key, true);
    struct proof proof;
    size_t left = length;
    siphash_absorb(&hash, where);
    for (; left >= 8; left -= 8, at += 8)
        siphash_absorb(&hash, word_of(at, 8));
    siphash_absorb(&hash, word_of(at, left) | (uint64_t)(length + 8) << 56);
    proof.word[0] = siphash_first(&hash);
    proof.word[1] = siphash_second(&hash);
    return proof;
}

/* ---------------------------------------------------------------- the table --------- */

static bool is_kept(const struct proof *proof)
{
    const struct proof *set = proofs.kept[proof->word[0] % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].word[0] == proof->word[0] && set[i].word[1] == proof->word[1])
            return true;
    return false;
}

bool proofs_hold(const struct proof *proof)
{
    pthread_mutex_lock(&proofs.lock);
    bool kept = is_kept(proof);
    pthread_mutex_unlock(&proofs.lock);
    return kept;
}

void proofs_keep(const struct proof *proof)
{
    size_t set = proof->word[0] % SETS;
    pthread_mutex_lock(&proofs.lock);
    if (!is_kept(proof))
        proofs.kept[set][proofs.turn[set]++ % WAYS] = *proof;
    pthread_mutex_unlock(&proofs.lock);
}
