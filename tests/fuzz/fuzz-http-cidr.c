/* Fuzzes blocks of addresses. Each line of the input is one: what is read is written and read back
 * as itself, and which covers which is what their bits say. Run by fuzz.sh and replay.c.
 */
#include "config.h"

#include <arpa/inet.h>

#include "base/cidr.h"
#include "text.h"

static bool same_bits(const struct cidr *a, const struct cidr *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if ((a->bits[i / 8] ^ b->bits[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

/* The bits that count are those of the address, and only those are set. */
static void check_bits(const char *text, const struct cidr *cidr, bool stray)
{
    struct cidr all = {.kind = cidr->kind};
    unsigned char bits[16] = {0};
    char *address = strndup(text, strcspn(text, "/"));
    if (inet_pton(AF_INET6, address, bits) == 1)
        memcpy(all.bits, cidr->kind == CIDR_V4 ? bits + 12 : bits, cidr->kind == CIDR_V4 ? 4 : 16);
    else
        assert(inet_pton(AF_INET, address, all.bits) == 1);
    assert(same_bits(cidr, &all, cidr->length));
    assert(stray == (memcmp(cidr->bits, all.bits, sizeof all.bits) != 0));
    free(address);
}

static bool read_block(const char *text, struct cidr *cidr)
{
    struct cidr again;
    char written[CIDR_TEXT];
    enum cidr_result result = cidr_parse(text, cidr);
    if (result == CIDR_MALFORMED)
        return false;
    if (cidr->kind == CIDR_V4 || cidr->kind == CIDR_V6)
        check_bits(text, cidr, result == CIDR_STRAY);
    assert(cidr->length <= (cidr->kind == CIDR_V4 ? 32 : cidr->kind == CIDR_V6 ? 128 : 0));
    assert(cidr_covers(cidr, cidr) && cidr_order(cidr, cidr) == 0);
    cidr_text(cidr, written);
    assert(cidr_parse(written, &again) == CIDR_OK);
    assert(again.kind == cidr->kind && again.length == cidr->length);
    assert(memcmp(again.bits, cidr->bits, sizeof again.bits) == 0);
    return true;
}

/* A peer is a block of itself alone; its interface does not count. */
static void check_peer(const char *text)
{
    struct cidr peer, block;
    if (!cidr_parse_peer(text, &peer))
        return;
    char *address = strndup(text, strcspn(text, "%"));
    assert(cidr_parse(address, &block) == CIDR_OK);
    assert(cidr_order(&peer, &block) == 0 && cidr_covers(&peer, &block));
    assert(peer.length == (peer.kind == CIDR_V4 ? 32 : peer.kind == CIDR_V6 ? 128 : 0));
    free(address);
}

static void check_two(const struct cidr *a, const struct cidr *b)
{
    bool covers = cidr_covers(a, b);
    int order = cidr_order(a, b), back = cidr_order(b, a);
    assert((order > 0) - (order < 0) == (back < 0) - (back > 0));
    assert((order == 0) == (covers && cidr_covers(b, a)));
    assert(!covers || order >= 0); /* the narrower one stands first */
    assert(covers == (a->kind == CIDR_ALL || (a->kind == b->kind && a->length <= b->length &&
                                              same_bits(a, b, a->length))));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_texts texts = fuzz_split(bytes, size, 2);
    struct cidr a, b;
    bool good = read_block(texts.text[0], &a);
    if (read_block(texts.text[1], &b) && good)
        check_two(&a, &b);
    check_peer(texts.text[0]);
    check_peer(texts.text[1]);
    fuzz_free(&texts);
    return 0;
}
