/* SipHash-2-4 (Aumasson and Bernstein), word by word: a hash under a secret key, so that who does
 * not have the key cannot choose what meets. Pure, any thread.
 *
 * Begin, absorb the words of the text, the last of which holds the bytes that are left and above
 * them the length, as the authors have it; then take one word, or for 128 bits two. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H
#include <stdbool.h>
#include <stdint.h>

struct siphash {
    uint64_t v[4];
    bool wide;
};

static inline uint64_t siphash_rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void siphash_rounds(uint64_t v[4], unsigned count)
{
    while (count-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = siphash_rotate(v[1], 13) ^ v[0];
        v[3] = siphash_rotate(v[3], 16) ^ v[2];
        v[0] = siphash_rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = siphash_rotate(v[1], 17) ^ v[2];
        v[3] = siphash_rotate(v[3], 21) ^ v[0];
        v[2] = siphash_rotate(v[2], 32);
    }
}

/* `wide`: 128 bits. */
static inline struct siphash siphash_begin(const uint64_t key[2], bool wide)
{
    return (struct siphash){
        {key[0] ^ UINT64_C(0x736f6d6570736575),
         key[1] ^ UINT64_C(0x646f72616e646f6d) ^ (wide ? 0xee : 0),
         key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)},
        wide};
}

static inline void siphash_absorb(struct siphash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    siphash_rounds(hash->v, 2);
    hash->v[0] ^= word;
}

static inline uint64_t siphash_squeeze(struct siphash *hash)
{
    siphash_rounds(hash->v, 4);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

/* All words are in. */
static inline uint64_t siphash_first(struct siphash *hash)
{
    hash->v[2] ^= hash->wide ? 0xee : 0xff;
    return siphash_squeeze(hash);
}

/* The second half of a wide one, after the first. */
static inline uint64_t siphash_second(struct siphash *hash)
{
    hash->v[1] ^= 0xdd;
    return siphash_squeeze(hash);
}
#endif
