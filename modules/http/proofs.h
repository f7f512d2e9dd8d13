/* Passwords that were proven right, remembered by a keyed hash, so that only the first request of a
 * client pays for crypt(3). One memory for the worker; any thread. */
#ifndef HTTP_PROOFS_H
#define HTTP_PROOFS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands for who says which password where; says neither. */
struct proof {
    uint64_t word[2];
};

/* Takes a fresh key and forgets all. Main thread, while configuring. False: no randomness. */
bool proofs_start(void);
/* Of `data` in the context `where` (any number that differs between files of users). */
struct proof proof_of(uint64_t where, const void *data, size_t length);
/* Was it kept? */
bool proofs_hold(const struct proof *proof);
/* The least recently kept of a few makes room. */
void proofs_keep(const struct proof *proof);
#endif
