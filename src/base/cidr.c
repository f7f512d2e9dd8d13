/* Blocks of addresses; see cidr.h. Pure, any thread.
 *
 * What must hold: bits beyond the length are 0, and IPv4 is never held as IPv6. So two blocks are
 * the same if their bytes are, and "::/0" does not cover IPv4.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cidr.h"

#define MAPPED_BITS 96 /* ::ffff:0:0/96 */

static unsigned width(enum cidr_kind kind)
{
    return kind == CIDR_V4 ? 32 : kind == CIDR_V6 ? 128 : 0;
}

/* An address without length. */
static bool parse_address(const char *text, struct cidr *cidr)
{
    memset(cidr, 0, sizeof *cidr);
    if (inet_pton(AF_INET, text, cidr->bits) == 1)
        cidr->kind = CIDR_V4;
    else if (inet_pton(AF_INET6, text, cidr->bits) == 1)
        cidr->kind = CIDR_V6;
    else
        return false;
    cidr->length = width(cidr->kind);
    return true;
}

static void unmap(struct cidr *cidr)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (cidr->kind != CIDR_V6 || cidr->length < MAPPED_BITS ||
        memcmp(cidr->bits, mapped, sizeof mapped) != 0)
        return;
    cidr->kind = CIDR_V4;
    cidr->length -= MAPPED_BITS;
    memmove(cidr->bits, cidr->bits + sizeof mapped, 4);
    memset(cidr->bits + 4, 0, sizeof cidr->bits - 4);
}

/* Digits only, at most `most`. */
static bool parse_length(const char *text, unsigned most, unsigned *length)
{
    unsigned number = 0;
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 3 || text[n] != '\0')
        return false;
    for (size_t i = 0; i < n; i++)
        number = number * 10 + (unsigned)(text[i] - '0');
    *length = number;
    return number <= most;
}

/* Clears what lies beyond the length. True: there was something. */
static bool clear_stray(struct cidr *cidr)
{
    bool stray = false;
    for (unsigned i = 0; i < sizeof cidr->bits; i++) {
        unsigned counted = cidr->length > i * 8 ? cidr->length - i * 8 : 0;
        unsigned char mask = counted >= 8 ? 0xff : (unsigned char)(0xff00u >> counted);
        stray |= (cidr->bits[i] & ~mask) != 0;
        cidr->bits[i] &= mask;
    }
    return stray;
}

enum cidr_result cidr_parse(const char *text, struct cidr *cidr)
{
    char address[INET6_ADDRSTRLEN];
    memset(cidr, 0, sizeof *cidr);
    if (strcmp(text, "all") == 0 || strcmp(text, "unix") == 0) {
        cidr->kind = text[0] == 'a' ? CIDR_ALL : CIDR_UNIX;
        return CIDR_OK;
    }
    size_t end = strcspn(text, "/");
    if (end >= sizeof address)
        return CIDR_MALFORMED;
    memcpy(address, text, end);
    address[end] = '\0';
    if (!parse_address(address, cidr) ||
        (text[end] == '/' && !parse_length(text + end + 1, width(cidr->kind), &cidr->length)))
        return CIDR_MALFORMED;
    unmap(cidr);
    return clear_stray(cidr) ? CIDR_STRAY : CIDR_OK;
}

bool cidr_parse_peer(const char *text, struct cidr *cidr)
{
    char address[INET6_ADDRSTRLEN];
    memset(cidr, 0, sizeof *cidr);
    if (strcmp(text, "unix") == 0) {
        cidr->kind = CIDR_UNIX;
        return true;
    }
    size_t end = strcspn(text, "%"); /* a link-local address names its interface */
    if (end >= sizeof address)
        return false;
    memcpy(address, text, end);
    address[end] = '\0';
    if (!parse_address(address, cidr))
        return false;
    unmap(cidr);
    return true;
}

void cidr_text(const struct cidr *cidr, char text[CIDR_TEXT])
{
    char address[INET6_ADDRSTRLEN] = "";
    if (cidr->kind == CIDR_ALL || cidr->kind == CIDR_UNIX) {
        strcpy(text, cidr->kind == CIDR_ALL ? "all" : "unix");
        return;
    }
    inet_ntop(cidr->kind == CIDR_V4 ? AF_INET : AF_INET6, cidr->bits, address, sizeof address);
    snprintf(text, CIDR_TEXT, "%s/%u", address, cidr->length);
}

bool cidr_covers(const struct cidr *block, const struct cidr *address)
{
    if (block->kind == CIDR_ALL)
        return true;
    if (block->kind != address->kind || block->length > address->length)
        return false;
    size_t bytes = block->length / 8;
    unsigned rest = block->length % 8;
    if (memcmp(block->bits, address->bits, bytes) != 0)
        return false;
    return rest == 0 || ((block->bits[bytes] ^ address->bits[bytes]) >> (8 - rest)) == 0;
}

int cidr_order(const struct cidr *a, const struct cidr *b)
{
    if (a->kind != b->kind)
        return a->kind > b->kind ? -1 : 1;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return memcmp(a->bits, b->bits, sizeof a->bits);
}
