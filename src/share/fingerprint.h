/* A number for a request, by which one that kills workers is known again: of its method, its target
 * as it was sent, and the module that it was for. FNV-1a, 64 bits: small enough for a signal
 * handler. It is no secret and can be forged, so whoever acts on it compares the texts too.
 * Pure. */
#ifndef SHARE_FINGERPRINT_H
#define SHARE_FINGERPRINT_H
#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_START 0xcbf29ce484222325ull

static inline uint64_t fingerprint_add(uint64_t sum, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)data[i]) * 0x100000001b3ull;
    return sum;
}

/* The end of one of its texts. */
static inline uint64_t fingerprint_part(uint64_t sum)
{
    return fingerprint_add(sum, "", 1);
}
#endif
