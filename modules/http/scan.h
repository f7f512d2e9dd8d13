/* Many bytes of a head at once: where what is ordinary in it ends. What is not ordinary may still be
 * right, which is for the table of parse.c to say. Pure.
 *
 * Vectors of the compiler, so each machine has what it is good at: SSE2, NEON, or plain words. */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H
#include <endian.h>
#include <stdint.h>
#include <string.h>

#define SCAN_BYTES 16
typedef unsigned char scan_block __attribute__((vector_size(SCAN_BYTES)));

typedef signed char scan_signed __attribute__((vector_size(SCAN_BYTES))); /* beyond ASCII: < 0 */

static inline scan_block scan_load(const char *at)
{
    scan_block block;
    memcpy(&block, at, sizeof block);
    return block;
}

/* How many bytes stand before the first that is marked: all ones, where the others are 0. */
static inline unsigned scan_before(scan_block marks)
{
    const uint64_t __attribute__((vector_size(SCAN_BYTES))) halves = (__typeof__(halves))marks;
    if (halves[0] != 0)
        return (unsigned)__builtin_ctzll(le64toh(halves[0])) / 8;
    return halves[1] != 0 ? 8 + (unsigned)__builtin_ctzll(le64toh(halves[1])) / 8 : SCAN_BYTES;
}

/* Of SCAN_BYTES bytes the first ones that are of a value: neither control character, DEL nor beyond
 * ASCII. */
static inline unsigned scan_value(const char *at)
{
    scan_block block = scan_load(at);
    return scan_before((scan_block)(block - 0x20 > 0x5e));
}

/* ... of a target: as above, and neither space nor "#". */
static inline unsigned scan_target(const char *at)
{
    scan_block block = scan_load(at);
    return scan_before((scan_block)((block - 0x21 > 0x5d) | (block == '#')));
}

/* ... of a target that is a path as it stands: as above, and no escape, no query, and no slash that
 * a slash or a dot follows. Two bytes at a time, "?" with DEL, and "%" with "#", "!" and "'", which
 * would do no harm but are rare. Looks at one byte more. */
static inline unsigned scan_path(const char *at)
{
    scan_block block = scan_load(at), next = scan_load(at + 1);
    return scan_before((scan_block)(((scan_signed)block < 0x21) | ((block | 0x40) == 0x7f) |
                                    ((block | 6) == 0x27) |
                                    ((block == '/') & ((next | 1) == '/'))));
}
#endif
