/* Blocks of addresses, and who is let in by them. */
#include "config.h"

#include <string.h>

#include "base/cidr.h"
#include "../../modules/http/guard.h"
#include "fake-reeve.h"
#include "unit.h"

/* ---------------------------------------------------------------- blocks ------------ */

static const struct {
    const char *text;
    enum cidr_result result;
    const char *shown;
} blocks[] = {
    {"all", CIDR_OK, "all"},
    {"unix", CIDR_OK, "unix"},
    {"192.0.2.1", CIDR_OK, "192.0.2.1/32"},
    {"192.0.2.0/24", CIDR_OK, "192.0.2.0/24"},
    {"192.0.2.129/25", CIDR_STRAY, "192.0.2.128/25"},
    {"10.0.0.0/8", CIDR_OK, "10.0.0.0/8"},
    {"10.0.0.1/8", CIDR_STRAY, "10.0.0.0/8"},
    {"0.0.0.0/0", CIDR_OK, "0.0.0.0/0"},
    {"255.255.255.254/31", CIDR_OK, "255.255.255.254/31"},
    {"2001:db8::/32", CIDR_OK, "2001:db8::/32"},
    {"2001:DB8:0:0::/32", CIDR_OK, "2001:db8::/32"},
    {"2001:db8::1/32", CIDR_STRAY, "2001:db8::/32"},
    {"2001:db8::1", CIDR_OK, "2001:db8::1/128"},
    {"::/0", CIDR_OK, "::/0"},
    {"::1", CIDR_OK, "::1/128"},
    {"::ffff:192.0.2.0/120", CIDR_OK, "192.0.2.0/24"},
    {"::ffff:192.0.2.7", CIDR_OK, "192.0.2.7/32"},
    {"::ffff:0:0/96", CIDR_OK, "0.0.0.0/0"},
    {"::ffff:0:0/95", CIDR_STRAY, "::fffe:0:0/95"},
    {"", CIDR_MALFORMED, NULL},
    {"All", CIDR_MALFORMED, NULL},
    {"192.0.2.0/33", CIDR_MALFORMED, NULL},
    {"192.0.2.0/", CIDR_MALFORMED, NULL},
    {"192.0.2.0/+8", CIDR_MALFORMED, NULL},
    {"192.0.2.0/8x", CIDR_MALFORMED, NULL},
    {"192.0.2.0/4294967304", CIDR_MALFORMED, NULL},
    {"192.0.2", CIDR_MALFORMED, NULL},
    {"192.0.2.0.0/8", CIDR_MALFORMED, NULL},
    {"192.0.2.256", CIDR_MALFORMED, NULL},
    {"192.0.2.1:80", CIDR_MALFORMED, NULL},
    {"[::1]", CIDR_MALFORMED, NULL},
    {"::1/129", CIDR_MALFORMED, NULL},
    {"example.org", CIDR_MALFORMED, NULL},
    {"/8", CIDR_MALFORMED, NULL},
    {"1111:2222:3333:4444:5555:6666:255.255.255.2555555555555", CIDR_MALFORMED, NULL},
};

START_TEST(test_parse)
{
    struct cidr cidr;
    char text[CIDR_TEXT];
    ck_assert_int_eq(cidr_parse(blocks[_i].text, &cidr), blocks[_i].result);
    if (blocks[_i].shown == NULL)
        return;
    cidr_text(&cidr, text);
    ck_assert_str_eq(text, blocks[_i].shown);
}
END_TEST

static bool covers(const char *block, const char *peer)
{
    struct cidr wide, address;
    ck_assert_int_eq(cidr_parse(block, &wide), CIDR_OK);
    ck_assert(cidr_parse_peer(peer, &address));
    return cidr_covers(&wide, &address);
}

START_TEST(test_covers)
{
    ck_assert(covers("192.0.2.0/24", "192.0.2.0"));
    ck_assert(covers("192.0.2.0/24", "192.0.2.255"));
    ck_assert(covers("192.0.2.0/24", "::ffff:192.0.2.9"));
    ck_assert(!covers("192.0.2.0/24", "192.0.3.0"));
    ck_assert(!covers("192.0.2.0/24", "192.0.1.255"));
    ck_assert(!covers("192.0.2.0/24", "c000:200::"));
    ck_assert(covers("192.0.2.128/27", "192.0.2.159"));
    ck_assert(!covers("192.0.2.128/27", "192.0.2.160"));
    ck_assert(covers("192.0.2.5", "192.0.2.5"));
    ck_assert(!covers("192.0.2.5", "192.0.2.4"));
    ck_assert(covers("0.0.0.0/0", "255.0.0.1"));
    ck_assert(!covers("0.0.0.0/0", "::1"));
    ck_assert(!covers("::/0", "192.0.2.1"));
    ck_assert(!covers("::/0", "::ffff:192.0.2.1"));
    ck_assert(covers("::/0", "2001:db8::1"));
    ck_assert(covers("2001:db8::/33", "2001:db8:7fff::"));
    ck_assert(!covers("2001:db8::/33", "2001:db8:8000::"));
    ck_assert(covers("fe80::/10", "fe80::1%eth0"));
    ck_assert(covers("unix", "unix"));
    ck_assert(!covers("unix", "192.0.2.1"));
    ck_assert(!covers("0.0.0.0/0", "unix"));
    ck_assert(covers("all", "unix"));
    ck_assert(covers("all", "::1"));
    ck_assert(covers("all", "192.0.2.1"));
}
END_TEST

/* Each bit of the prefix counts, none behind it. */
START_TEST(test_every_length)
{
    for (unsigned length = 0; length <= 128; length++) {
        struct cidr block = {.kind = CIDR_V6, .length = length};
        for (unsigned bit = 0; bit < 128; bit++) {
            struct cidr address = {.kind = CIDR_V6, .length = 128};
            address.bits[bit / 8] = (unsigned char)(0x80 >> bit % 8);
            ck_assert_int_eq(cidr_covers(&block, &address), bit >= length);
        }
    }
}
END_TEST

START_TEST(test_not_a_peer)
{
    struct cidr address;
    ck_assert(!cidr_parse_peer("", &address));
    ck_assert(!cidr_parse_peer("all", &address));
    ck_assert(!cidr_parse_peer("192.0.2.0/24", &address));
    ck_assert(!cidr_parse_peer("example.org", &address));
}
END_TEST

/* ---------------------------------------------------------------- rules ------------- */

static int read_guard(const char *const *allow, const char *const *deny, struct guard **guard)
{
    size_t allowed = 0, denied = 0;
    while (allow != NULL && allow[allowed] != NULL)
        allowed++;
    while (deny != NULL && deny[denied] != NULL)
        denied++;
    struct fake_value values[] = {{.name = "allow", .items = allow, .count = allowed},
                                  {.name = "deny", .items = deny, .count = denied},
                                  {0}};
    reeve_section section = {.values = values};
    return guard_read(&section, guard);
}

#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

static struct guard *made(const char *const *allow, const char *const *deny)
{
    struct guard *guard;
    ck_assert_msg(read_guard(allow, deny, &guard) == 0, "%s", fake_error);
    ck_assert_ptr_nonnull(guard);
    return guard;
}

START_TEST(test_no_rules)
{
    struct guard *guard = (struct guard *)1;
    ck_assert_int_eq(read_guard(NULL, NULL, &guard), 0);
    ck_assert_ptr_null(guard);
}
END_TEST

START_TEST(test_only_allow)
{
    struct guard *guard = made(LIST("192.0.2.0/24", "2001:db8::/32"), NULL);
    ck_assert(guard_admits(guard, "192.0.2.1"));
    ck_assert(guard_admits(guard, "::ffff:192.0.2.1"));
    ck_assert(guard_admits(guard, "2001:db8::1"));
    ck_assert(!guard_admits(guard, "198.51.100.1"));
    ck_assert(!guard_admits(guard, "unix"));
    ck_assert(!guard_admits(guard, "not an address"));
    guard_free(guard);
}
END_TEST

START_TEST(test_only_deny)
{
    struct guard *guard = made(NULL, LIST("192.0.2.0/24"));
    ck_assert(!guard_admits(guard, "192.0.2.1"));
    ck_assert(guard_admits(guard, "198.51.100.1"));
    ck_assert(guard_admits(guard, "unix"));
    ck_assert(!guard_admits(guard, "not an address"));
    guard_free(guard);
}
END_TEST

START_TEST(test_the_narrowest_decides)
{
    struct guard *guard =
        made(LIST("10.0.0.0/8", "10.1.2.3", "unix"), LIST("10.1.0.0/16", "all", "2001:db8::/32"));
    ck_assert(guard_admits(guard, "10.0.0.1"));
    ck_assert(!guard_admits(guard, "10.1.0.1"));
    ck_assert(!guard_admits(guard, "10.1.2.2"));
    ck_assert(guard_admits(guard, "10.1.2.3"));
    ck_assert(guard_admits(guard, "unix"));
    ck_assert(!guard_admits(guard, "11.0.0.1"));
    ck_assert(!guard_admits(guard, "::1"));
    guard_free(guard);
}
END_TEST

START_TEST(test_refusals)
{
    static const struct {
        const char *allow, *deny, *text;
    } rows[] = {
        {"10.0.0.0/8", "10.1.0.0/16", "deny: allow and deny leave open"},
        {"10.0.0.0/8", "10.0.0.0/8", "deny: \"10.0.0.0/8\" stands in allow and in deny"},
        {"all", "all", "deny: \"all\" stands in allow and in deny"},
        {"10.0.0.1/8", NULL, "allow: \"10.0.0.1/8\" says more than its length lets count: write "
                             "\"10.0.0.0/8\""},
        {"localhost", NULL, "allow: \"localhost\" is no block of addresses"},
        {NULL, "x", "deny: \"x\" is no block"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct guard *guard;
        ck_assert_int_eq(read_guard(rows[i].allow != NULL ? LIST(rows[i].allow) : NULL,
                                    rows[i].deny != NULL ? LIST(rows[i].deny) : NULL, &guard), -1);
        ck_assert_msg(strstr(fake_error, rows[i].text) != NULL, "%s", fake_error);
        guard_free(guard);
    }
}
END_TEST

UNIT_MAIN("http-guard", EACH(test_parse, blocks), ONCE(test_covers), ONCE(test_every_length),
          ONCE(test_not_a_peer), ONCE(test_no_rules), ONCE(test_only_allow), ONCE(test_only_deny),
          ONCE(test_the_narrowest_decides), ONCE(test_refusals))
