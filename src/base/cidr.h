/* Blocks of addresses, "192.0.2.0/24", and which of them cover an address. Pure: no I/O, no
 * allocation. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H
#include <stdbool.h>
#include <stddef.h>

enum cidr_kind { CIDR_ALL, CIDR_UNIX, CIDR_V4, CIDR_V6 };

struct cidr {
    enum cidr_kind kind;
    unsigned length; /* bits that count: 0 to 32 or 128 */
    unsigned char bits[16];
};

enum cidr_result {
    CIDR_OK,
    CIDR_MALFORMED,
    CIDR_STRAY, /* bits beyond the length are set: the block is given without them */
};

#define CIDR_TEXT 64 /* room for one as text */

/* "192.0.2.0/24", "2001:db8::/32", an address alone, "unix" or "all". IPv4 in IPv6
 * ("::ffff:192.0.2.1") is taken for IPv4. */
enum cidr_result cidr_parse(const char *text, struct cidr *cidr);
/* One address, as reeve_peer() gives it. */
bool cidr_parse_peer(const char *text, struct cidr *cidr);
/* As one writes it. */
void cidr_text(const struct cidr *cidr, char text[CIDR_TEXT]);
bool cidr_covers(const struct cidr *block, const struct cidr *address);
/* For qsort: the narrower before the wider of a kind, "all" last; 0: the same block. */
int cidr_order(const struct cidr *a, const struct cidr *b);
#endif
